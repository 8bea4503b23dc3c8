"""What all forms of a comparison say in the same words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from bench.compare.refusal import Refusal
from bench.compare.result import MISSING, Comparison, ExitCode, Lost
from bench.compare.verdict import Verdict
from bench.render.labels import number, one_line
from bench.results.frame import with_params

ORDER = (
    Verdict.WORSE,
    Verdict.BETTER,
    Verdict.CHANGED,
    Verdict.INCONCLUSIVE,
    Verdict.SAME,
)
"""In this order verdicts are told."""

NOTHING = "nothing could be compared"
"""What is said where BASE and HEAD have no point in common, or none that may be compared."""

WIDTH = 100
"""Characters that a name, which may be a stranger's, can take."""


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def headline(comparison: Comparison) -> str:
    """The verdict on the whole, in one line."""
    parts = list(comparison.unmet)
    if not len(comparison.points):
        parts = [NOTHING, *parts]
    moved = comparison.regressions["verdict"].ne(Verdict.WORSE).sum()
    if moved:
        parts.append(f"{moved} moved that a gate holds on both sides")
    if len(comparison.points):
        parts.append(f"{len(comparison.points)} comparisons: {counts(comparison)}")
        if not comparison.points["gated"].any():
            parts.append("none of them gated")
    parts += _lost(comparison)
    refused = sum(refusal.points for refusal in comparison.refused)
    if refused:
        parts.append(f"{refused} refused")
    return f"{_verdict(comparison)}: {'; '.join(parts)}"


def _verdict(comparison: Comparison) -> str:
    if comparison.exit_code is ExitCode.REGRESSION:
        failed = any(lost.gated and lost.status != MISSING for lost in comparison.lost)
        return "REGRESSION" if len(comparison.regressions) or failed else "POINTS LOST"
    return "NOT COMPARABLE" if comparison.exit_code else "no regression"


def _lost(comparison: Comparison) -> Iterator[str]:
    """How many numbers of BASE are lost, and whether that fails the comparison."""
    for verb, missing in (("failed", False), ("are missing", True)):
        for gated in (True, False):
            count = sum(
                lost.points
                for lost in comparison.lost
                if lost.gated is gated and (lost.status == MISSING) is missing
            )
            if count:
                yield f"{count} numbers of BASE {verb} in HEAD" + (
                    "" if gated else " (not gated)" if not missing else " (not gated, or allowed)"
                )


def counts(comparison: Comparison) -> str:
    """How many points have each verdict."""
    found = comparison.points["verdict"].value_counts()
    identical = int(comparison.points["identical"].sum())
    parts = []
    for verdict in ORDER:
        count = int(found.get(verdict.value, 0))
        if count:
            bits = f" ({identical} bit-identical)" if verdict is Verdict.SAME and identical else ""
            parts.append(f"{count} {verdict.value}{bits}")
    return ", ".join(parts)


def subject(row: Mapping[str, Any]) -> str:
    """Suite, model and process of a point."""
    model = with_params(str(row["model"]), str(row["model_params"]))
    process = with_params(str(row["process"]), str(row["process_params"]))
    return one_line(f"{row['suite']}: {model}, {process}", WIDTH)


def where(row: Mapping[str, Any]) -> str:
    """A point's place on its curve: the budget, or the NFE that an adaptive solver took."""
    if not _missing(row["budget"]):
        return f"{row['budget']:g}"
    return "all" if _missing(row["nfe_head"]) else f"({row['nfe_head']:.0f})"


def metric(row: Mapping[str, Any]) -> str:
    """The metric with its parameters."""
    return one_line(with_params(str(row["metric"]), str(row["metric_params"])), WIDTH)


def curve(row: Mapping[str, Any]) -> str:
    """The curve."""
    return one_line(str(row["curve"]), WIDTH)


def change(row: Mapping[str, Any]) -> str:
    """The difference with its interval, as a share of BASE where that is not zero."""
    if row["identical"]:
        return "bit-identical"
    base = abs(row["base"])
    scale, unit = (100 / base, " %") if base > 0 else (1.0, "")
    values = [float(row[name]) * scale for name in ("difference", "low", "high")]
    text = f"{_signed(values[0])}{unit}"
    if _missing(row["low"]):
        return text
    return f"{text} [{_signed(values[1])}, {_signed(values[2])}]"


def advice(row: Mapping[str, Any]) -> str:
    """What it would take to come to a verdict."""
    if row["verdict"] != Verdict.INCONCLUSIVE:
        return ""
    unit = "seeds" if "seeds" in row["basis"] else "samples" if "samples" in row["basis"] else ""
    if row["basis"] == "cells":
        unit = "cells"
    if not unit or _missing(row["needed"]) or math.isinf(row["needed"]):
        return "no error known: run several seeds"
    return f"needs about {rounded(row['needed'])} {unit}, has {row['units']:.0f}"


def rounded(count: float) -> str:
    """A count with two significant digits, rounded up."""
    if count < 10:
        return f"{count:.0f}"
    step = 10 ** (math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / step - 1e-9) * step:,.0f}"


def refusal(item: Refusal) -> str:
    """Why something is not compared."""
    place = one_line(f"{item.suite}: {item.model}, {item.metric}", WIDTH)
    values = f"{one_line(item.base, 60)} in BASE, {one_line(item.head, 60)} in HEAD"
    return f"{place} ({item.points}): {item.field} is {values}; {item.remedy}"


def lost(item: Lost) -> str:
    """What HEAD lacks."""
    place = one_line(f"{item.suite}: {item.model}, {item.curve}, {item.metric}", WIDTH)
    return f"{place} ({item.points}): {item.status}: {one_line(item.reason, 200)}"


def method(comparison: Comparison) -> Iterator[str]:
    """How the verdicts come about."""
    alpha, points = comparison.alpha, comparison.points
    if points.empty:
        yield (
            "What is compared: the same suites, models, processes, grids, solvers, budgets and "
            "metrics, where their protocols agree; --rename is for a solver of another name."
        )
        return
    level = f"{100 * (1 - alpha):g} %"
    yield (
        f"Intervals have level {level} each. worse and better: Holm's p below {alpha:g} within "
        "each metric, and the difference above the tolerance; same: the interval within it."
    )
    families = points[points["family"] > 0].groupby("metric", sort=False)["family"].first()
    if len(families):
        sizes = ", ".join(f"{one_line(str(m), WIDTH)} {n:.0f}" for m, n in families.items())
        yield f"Families (comparisons that are not bit-identical): {sizes}."
    gates = ", ".join(gate.text for gate in comparison.gates) or "every metric by its tolerance"
    yield f"Gated: {gates}."


def value(row: Mapping[str, Any], side: str) -> str:
    """A side's number."""
    return number(float(row[side]))


def _signed(x: float) -> str:
    return f"{x:+.3g}" if abs(x) < 1000 else f"{x:+.0f}"


def _missing(x: Any) -> bool:
    return x is None or (isinstance(x, float) and math.isnan(x))


def p(row: Mapping[str, Any]) -> str:
    """Holm's p-value."""
    found = row["p_holm"]
    return "–" if _missing(found) else "<0.001" if found < 0.001 else f"{found:.3f}"


def new(row: Mapping[str, Any]) -> str:
    """A curve that only HEAD has."""
    place = f"{row['suite']}: {row['model']}, {row['curve']}, {row['metric']}"
    return f"{one_line(place, WIDTH)} ({row['points']})"


def area(row: Mapping[str, Any]) -> str:
    """The mean change of the metric along the curve."""
    if _missing(row["area"]):
        return "–"
    text = f"{_signed(100 * row['area'])} %"
    if _missing(row["area_low"]):
        return text
    return f"{text} [{_signed(100 * row['area_low'])}, {_signed(100 * row['area_high'])}]"


def reached(row: Mapping[str, Any], side: str) -> str:
    """The NFE at which a side reaches the target."""
    nfe, low, high = (row[f"nfe_{side}{end}"] for end in ("", "_low", "_high"))
    if _missing(nfe):
        return "never"
    if _missing(low):
        return f"{nfe:.3g}"
    top = "∞" if _missing(high) or math.isinf(high) else f"{high:.3g}"
    return f"{nfe:.3g} [{low:.3g}, {top}]"


def overall(comparison: Comparison) -> Iterator[str]:
    """The summaries over all curves, one line for each metric."""
    for row in records(comparison.overall):
        ratio = f"{row['iqm']:.4g}" + _interval(row, "iqm")
        better = f"{row['improvement']:.2f}" + _interval(row, "improvement")
        yield (
            f"{one_line(str(row['metric']), WIDTH)} over {row['points']} points: interquartile "
            f"mean of HEAD/BASE {ratio}, probability of improvement {better}"
        )


def _interval(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if _missing(low) else f" [{low:.4g}, {high:.4g}]"
