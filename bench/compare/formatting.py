"""One row of a comparison as text: its place, its numbers, its verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.compare.refusal import Refusal
from bench.compare.result import MissingPoints
from bench.compare.verdict import Verdict
from bench.render.labels import number, shorten_label
from bench.results.frame import SUBJECT, Subject, with_params

WIDTH = 100
"""Characters that a name, which may be a stranger's, can take."""

Row = Mapping[str, Any]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def subject(row: Row) -> str:
    """Suite, model, task and process of a point."""
    return shorten_label(Subject(*(str(row[name]) for name in SUBJECT)).title, WIDTH)


def where(row: Row) -> str:
    """A point's place on its curve: the budget, or the NFE that an adaptive solver took."""
    if not _unknown(row["budget"]):
        return f"{row['budget']:g}"
    return "all" if _unknown(row["nfe_head"]) else f"({row['nfe_head']:.0f})"


def metric(row: Row) -> str:
    """The metric with its parameters."""
    return shorten_label(with_params(str(row["metric"]), str(row["metric_params"])), WIDTH)


def curve(row: Row) -> str:
    """The curve."""
    return shorten_label(str(row["curve"]), WIDTH)


def value(row: Row, side: str) -> str:
    """The value of a side."""
    return number(float(row[side]))


def change(row: Row) -> str:
    """The difference with its interval, as a share of BASE where that is not zero."""
    if row["identical"]:
        return "bit-identical"
    base = abs(row["base"])
    scale, unit = (100 / base, " %") if base > 0 else (1.0, "")
    values = [float(row[name]) * scale for name in ("difference", "low", "high")]
    text = f"{_with_sign(values[0])}{unit}"
    if _unknown(row["low"]):
        return text
    return f"{text} [{_with_sign(values[1])}, {_with_sign(values[2])}]"


def p(row: Row) -> str:
    """Holm's p-value."""
    found = row["p_holm"]
    return "–" if _unknown(found) else "<0.001" if found < 0.001 else f"{found:.3f}"


def area(row: Row) -> str:
    """The mean change of the metric along the curve."""
    if _unknown(row["area"]):
        return "–"
    text = f"{_with_sign(100 * row['area'])} %"
    if _unknown(row["area_low"]):
        return text
    return f"{text} [{_with_sign(100 * row['area_low'])}, {_with_sign(100 * row['area_high'])}]"


def reach(row: Row, side: str) -> str:
    """The NFE at which BASE or HEAD reaches the target."""
    nfe, low, high = (row[f"nfe_{side}{end}"] for end in ("", "_low", "_high"))
    if _unknown(nfe):
        return "never"
    if _unknown(low):
        return f"{nfe:.3g}"
    top = "∞" if _unknown(high) or math.isinf(high) else f"{high:.3g}"
    return f"{nfe:.3g} [{low:.3g}, {top}]"


def advice(row: Row) -> str:
    """The samples or seeds that a verdict would take."""
    if row["verdict"] != Verdict.INCONCLUSIVE:
        return ""
    unit = "seeds" if "seeds" in row["basis"] else "samples" if "samples" in row["basis"] else ""
    if row["basis"] == "cells":
        unit = "cells"
    if not unit or _unknown(row["needed"]) or math.isinf(row["needed"]):
        return "no error known: run several seeds"
    return f"needs about {round_up(row['needed'])} {unit}, has {row['units']:.0f}"


def basis(row: Row) -> str:
    """The basis of a point, or what it lacks for a verdict."""
    return advice(row) or f"{row['units']:.0f} {row['basis']}"


def round_up(count: float) -> str:
    """A count with two significant digits, rounded up."""
    if count < 10:
        return f"{count:.0f}"
    step = 10 ** (math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / step - 1e-9) * step:,.0f}"


def refusal(item: Refusal) -> str:
    """A refusal with the reason and the remedy."""
    place = shorten_label(f"{item.suite}: {item.model}, {item.metric}", WIDTH)
    values = f"{shorten_label(item.base, 60)} in BASE, {shorten_label(item.head, 60)} in HEAD"
    return f"{place} ({item.points}): {item.field} is {values}; {item.remedy}"


def missing(item: MissingPoints) -> str:
    """Points that HEAD lacks, and why."""
    place = shorten_label(f"{item.suite}: {item.model}, {item.curve}, {item.metric}", WIDTH)
    return f"{place} ({item.points}): {item.status}: {shorten_label(item.reason, 200)}"


def new_points(row: Row) -> str:
    """A curve that only HEAD has."""
    place = f"{row['suite']}: {row['model']}, {row['curve']}, {row['metric']}"
    return f"{shorten_label(place, WIDTH)} ({row['points']})"


def interval(row: Row, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if _unknown(low) else f" [{low:.4g}, {high:.4g}]"


def _with_sign(x: float) -> str:
    return f"{x:+.3g}" if abs(x) < 1000 else f"{x:+.0f}"


def _unknown(x: float | None) -> bool:
    return x is None or x != x
