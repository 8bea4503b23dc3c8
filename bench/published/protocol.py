"""Differences between the protocol of a published figure and that of a run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.published.figures import PublishedFigure
from bench.published.known import KnownFiles
from bench.published.tables import PluginSetting

SOURCE = "source"
"""The field of what the published run did that none here can do."""

_PLACES = frozenset({"path", "held_out", "data"})
"""Parameters of a model that say where files are, not what is computed."""
_REFERENCE = frozenset({"against", "root", "download"})


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


def differences(figure: PublishedFigure, row: pd.Series, known: KnownFiles) -> Iterator[Difference]:
    """The parts of the protocol that the row of a result does not share with the figure."""
    table = figure.table
    if int(row["metric_n"]) != table.metric.n:
        yield Difference("n", f"{table.metric.n:,}", f"{int(row['metric_n']):,}")
    if row["finish"] != figure.finish:
        yield Difference("finish", figure.finish, row["finish"])
    for name, published in (("s_min", table.s_min), ("s_max", table.s_max)):
        if not math.isclose(row[name], published, rel_tol=1e-3):
            yield Difference(name, f"{published:g}", f"{row[name]:g}")
    if row["dtype"] != table.dtype:
        yield Difference("dtype", table.dtype, row["dtype"])
    yield from _settings("denoising", figure.denoising, params(row["denoising"]))
    yield from _plugins(figure, row)
    yield from _model(figure, params(row["model_params"]))
    yield from _metric(figure, params(row["metric_params"]), known)
    for deviation in figure.deviations:
        yield Difference(SOURCE, deviation, "not so")


def params(text: str) -> dict[str, Any]:
    """The parameters in a column; none where the text is empty or damaged."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plugins(figure: PublishedFigure, row: pd.Series) -> Iterator[Difference]:
    """Differences in process, grid, task, guidance, and parameters of solver and corrector."""
    for kind in ("task", "guidance"):  # no published figure here has one
        if row[kind]:
            yield Difference(
                kind, "none", str(PluginSetting(row[kind], params(row[f"{kind}_params"])))
            )
    for kind, plugin in (("process", figure.process), ("grid", figure.grid)):
        if plugin is None:  # adaptive solvers have no grid
            continue
        here = PluginSetting(row[kind], params(row[f"{kind}_params"]))
        if plugin != here:
            yield Difference(kind, str(plugin), str(here))
    for kind, plugin in (("solver", figure.solver), ("corrector", figure.corrector)):
        wanted = plugin.params if plugin else {}
        yield from _settings(kind, wanted, params(row[f"{kind}_params"]))


def _model(figure: PublishedFigure, here: Mapping[str, Any]) -> Iterator[Difference]:
    # The name of a checkpoint implies its preset where a run does not say it.
    implied = frozenset({"preset"} - set(here))
    wanted = _without(figure.model.params, implied)
    yield from _settings("model", wanted, _without(here, _PLACES))


def _metric(
    figure: PublishedFigure, here: dict[str, Any], known: KnownFiles
) -> Iterator[Difference]:
    metric = figure.table.metric
    against = here.get("against", "")
    if metric.against and not any(known.is_called(against, name) for name in metric.against):
        wanted = " or ".join(metric.against)
        yield Difference("reference", wanted, known.format(against) or "none")
    extractor = {"weights": known.format(here.pop("weights"))} if "weights" in here else {}
    yield from _settings("extractor", {}, extractor)
    yield from _settings("metric", metric.params, _without(here, _REFERENCE))


def _settings(
    kind: str, wanted: Mapping[str, Any], here: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in sorted({*wanted, *here}):
        one, other = wanted.get(name, "default"), here.get(name, "default")
        if one != other:
            yield Difference(f"{kind}.{name}", str(one), str(other))


def _without(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
