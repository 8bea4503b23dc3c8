"""Results held against published figures: reproduced, off, another protocol, or not run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from bench.published.figures import Figure
from bench.published.known import KnownFiles, known_files
from bench.published.spread import SIGMAS, Deviation, deviation
from bench.published.tables import Plugin
from bench.results.column import Use
from bench.results.frame import clean
from bench.results.protocol import without_round_off
from bench.results.schema import columns

SOURCE = "source"
"""The field of what the published run did that none here can do."""


class Verdict(StrEnum):
    """What a run says of a published figure."""

    REPRODUCED = "reproduced"
    OFF = "off by"
    DIFFERS = "protocol differs"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Difference:
    """A part of the protocol that two numbers do not share."""

    field: str
    published: str
    here: str

    def __str__(self) -> str:
        if self.field == SOURCE:
            return f"{self.field}: {self.published}"
        return f"{self.field}: {self.published} published, {self.here} here"


@dataclass(frozen=True)
class Comparison:
    """A figure and what a run says of it.

    Attributes:
        figure: the published number.
        verdict: the answer.
        deviation: measured and published; None where nothing was measured.
        differences: what the protocols do not share.
        reason: why there is no number.
        seeds: runs that the measured number rests on.
        keys: their cells.
    """

    figure: Figure
    verdict: Verdict
    deviation: Deviation | None = None
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    seeds: int = 0
    keys: tuple[str, ...] = ()


def compare(
    figures: Sequence[Figure], results: pd.DataFrame, sigmas: float = SIGMAS
) -> tuple[Comparison, ...]:
    """Each figure and what ``results`` (of `bench.load_results`) say of it.

    Rows belong to a figure if they have its metric, checkpoint, solver, corrector and measured
    NFE. If their protocol differs from the figure's in anything, the verdict is that, however near
    the numbers are. Where rows of several protocols belong to a figure, those with the fewest
    differences are taken.
    """
    rows = without_round_off(clean(results))
    of_curve = dict(iter(rows.groupby(_CURVE, sort=False)))
    known = known_files(results)
    return tuple(_compare(figure, of_curve, known, sigmas) for figure in figures)


_CURVE = ["metric", "model", "solver", "corrector"]
"""What names a figure's curve; `_at_cost` and replicates tell its rows apart."""

_UNPUBLISHED = frozenset({"suite", "samples", "reference_hash"})
"""No paper tells them: it names n and the reference."""

_PROTOCOL = [
    name
    for name in columns(Use.SUBJECT, Use.CURVE, Use.NUMBER, Use.QUALITY)
    if name not in _UNPUBLISHED and name not in _CURVE
]
_PLACES = frozenset({"path", "held_out", "data"})
"""Parameters of a model that say where files are, not what is computed."""
_REFERENCE = frozenset({"against", "root", "download"})


def _compare(
    figure: Figure, of_curve: Mapping[Any, pd.DataFrame], known: KnownFiles, sigmas: float
) -> Comparison:
    if figure.unavailable or figure.solver is None:
        return Comparison(figure, Verdict.NOT_RUN, reason=figure.unavailable)
    corrector = figure.corrector.name if figure.corrector else ""
    curve = of_curve.get(
        (figure.table.metric.name, figure.model.name, figure.solver.name, corrector)
    )
    if curve is None:
        return Comparison(figure, Verdict.NOT_RUN, reason="no row of this solver and model")
    same = _of_checkpoint(figure, curve, known)
    if same.empty:
        return Comparison(figure, Verdict.NOT_RUN, reason=f"no row of {figure.checkpoint}")
    there = _at_cost(figure, same)
    usable = there[there["usable"]]
    if usable.empty:
        return Comparison(figure, Verdict.NOT_RUN, reason=_why(figure, there))
    differences, rows = min(_protocols(figure, usable, known), key=lambda item: len(item[0]))
    values = rows.drop_duplicates("seed")
    errors = [float(error) for error in values["std_error"] if math.isfinite(error)]
    found = deviation(figure, values["value"].tolist(), errors, sigmas)
    verdict = Verdict.REPRODUCED if found.within else Verdict.OFF
    return Comparison(
        figure,
        Verdict.DIFFERS if differences else verdict,
        found,
        differences,
        seeds=len(values),
        keys=tuple(map(str, values["key"])),
    )


def _of_checkpoint(figure: Figure, rows: pd.DataFrame, known: KnownFiles) -> pd.DataFrame:
    """The rows of the figure's weights, known by their name or by their hash."""
    named = {
        text: known.is_called(_params(text).get("path"), figure.checkpoint)
        for text in rows["model_params"].unique()
    }
    hashed = rows["weights"].eq(figure.weights) if figure.weights else False
    return rows[rows["model_params"].map(named).astype(bool) | hashed]


def _at_cost(figure: Figure, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the figure's NFE, as measured; of its budget where a cell has no numbers."""
    if figure.evaluations is None:
        return rows[rows["budget"].isna()]
    cost = rows["nfe"].where(rows["nfe"].notna(), rows["budget"])
    return rows[(cost - figure.evaluations).abs() < 0.5]


def _why(figure: Figure, rows: pd.DataFrame) -> str:
    if rows.empty:
        return f"no row of {figure.evaluations} NFE" if figure.evaluations else "no adaptive row"
    first = rows.iloc[0]
    return f"{first['status']}: {first['reason']}"


def _protocols(
    figure: Figure, rows: pd.DataFrame, known: KnownFiles
) -> Iterator[tuple[tuple[Difference, ...], pd.DataFrame]]:
    """The rows of each protocol, with what it does not share with the figure."""
    for _, part in rows.groupby(_PROTOCOL, sort=False, dropna=False):
        yield tuple(_differences(figure, part.iloc[0], known)), part


def _differences(figure: Figure, row: pd.Series, known: KnownFiles) -> Iterator[Difference]:
    table = figure.table
    metric, model = _params(row["metric_params"]), _params(row["model_params"])
    if int(row["metric_n"]) != table.metric.n:
        yield Difference("n", f"{table.metric.n:,}", f"{int(row['metric_n']):,}")
    if row["finish"] != figure.finish:
        yield Difference("finish", figure.finish, row["finish"])
    for name, published in (("s_min", table.s_min), ("s_max", table.s_max)):
        if not math.isclose(row[name], published, rel_tol=1e-3):
            yield Difference(name, f"{published:g}", f"{row[name]:g}")
    if row["dtype"] != table.dtype:
        yield Difference("dtype", table.dtype, row["dtype"])
    yield from _plugins(figure, row)
    yield from _settings("model", _told(figure, model), _without(model, _PLACES))
    against = metric.get("against", "")
    wanted = table.metric.against
    if wanted and not any(known.is_called(against, name) for name in wanted):
        yield Difference("reference", " or ".join(wanted), known.shown(against) or "none")
    extractor = {"weights": known.shown(metric.pop("weights"))} if "weights" in metric else {}
    yield from _settings("extractor", {}, extractor)
    yield from _settings("metric", table.metric.params, _without(metric, _REFERENCE))
    for deviation_ in figure.deviations:
        yield Difference(SOURCE, deviation_, "not so")


def _told(figure: Figure, here: Mapping[str, Any]) -> dict[str, Any]:
    """The model's parameters; the name of a checkpoint says its preset where a run does not."""
    implied = frozenset({"preset"} - set(here))
    return _without(figure.model.params, implied)


def _plugins(figure: Figure, row: pd.Series) -> Iterator[Difference]:
    """Differences in process, grid, and the parameters of solver and corrector."""
    for kind, plugin in (("process", figure.process), ("grid", figure.grid)):
        if plugin is None:  # adaptive solvers have no grid
            continue
        here = Plugin(row[kind], _params(row[f"{kind}_params"]))
        if plugin != here:
            yield Difference(kind, label(plugin), label(here))
    for kind, plugin in (("solver", figure.solver), ("corrector", figure.corrector)):
        wanted = plugin.params if plugin else {}
        yield from _settings(kind, wanted, _params(row[f"{kind}_params"]))


def _settings(
    kind: str, wanted: Mapping[str, Any], here: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in sorted({*wanted, *here}):
        one, other = wanted.get(name, "default"), here.get(name, "default")
        if one != other:
            yield Difference(f"{kind}.{name}", str(one), str(other))


def _without(params: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in names}


def _params(text: str) -> dict[str, Any]:
    """The parameters in a column; none where the text is empty or damaged."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def label(plugin: Plugin) -> str:
    """``name(key=value)``."""
    inner = ", ".join(f"{name}={value}" for name, value in plugin.params.items())
    return f"{plugin.name}({inner})" if inner else plugin.name
