"""Results held against published figures: reproduced, off, another protocol, or not run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from bench.published.figures import PublishedFigure
from bench.published.known import KnownFiles, known_files
from bench.published.protocol import Difference, differences, params
from bench.published.spread import SIGMAS, Deviation, deviation
from bench.results.column import Use
from bench.results.frame import clean
from bench.results.protocol import without_round_off
from bench.results.schema import columns


class FigureVerdict(StrEnum):
    """The answer of a run to a published figure."""

    REPRODUCED = "reproduced"
    OFF = "off by"
    DIFFERS = "protocol differs"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class FigureComparison:
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

    figure: PublishedFigure
    verdict: FigureVerdict
    deviation: Deviation | None = None
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    seeds: int = 0
    keys: tuple[str, ...] = ()

    @property
    def relative(self) -> float | None:
        """The difference as a share of the figure, where that means something."""
        if self.deviation is None or not self.figure.value:
            return None
        return self.deviation.difference / abs(self.figure.value)


_CURVE = ["metric", "model", "solver", "corrector"]
"""Columns that name a figure's curve."""

_UNPUBLISHED = frozenset({"suite", "samples", "reference_hash"})
"""No paper tells them: it names n and the reference."""

_PROTOCOL = [
    name
    for name in columns(Use.SUBJECT, Use.CURVE, Use.NUMBER, Use.QUALITY)
    if name not in _UNPUBLISHED and name not in _CURVE
]


def compare(
    figures: Sequence[PublishedFigure], results: pd.DataFrame, sigmas: float = SIGMAS
) -> tuple[FigureComparison, ...]:
    """Hold ``results`` (of `bench.load_results`) against each figure.

    Rows belong to a figure if they have its metric, checkpoint, solver, corrector and measured
    NFE. If their protocol differs from the figure's in anything, the verdict is that, however near
    the numbers are. Where rows of several protocols belong to a figure, those with the fewest
    differences are taken.
    """
    rows = without_round_off(clean(results))
    of_curve = dict(iter(rows.groupby(_CURVE, sort=False)))
    known = known_files(results)
    return tuple(_compare(figure, of_curve, known, sigmas) for figure in figures)


def _compare(
    figure: PublishedFigure, of_curve: Mapping[Any, pd.DataFrame], known: KnownFiles, sigmas: float
) -> FigureComparison:
    usable, reason = _measured_rows(figure, of_curve, known)
    if usable.empty:
        return FigureComparison(figure, FigureVerdict.NOT_RUN, reason=reason)
    differing, rows = min(_protocols(figure, usable, known), key=lambda item: len(item[0]))
    values = rows.drop_duplicates("seed")
    errors = [float(error) for error in values["std_error"] if math.isfinite(error)]
    found = deviation(figure, values["value"].tolist(), errors, sigmas)
    verdict = FigureVerdict.REPRODUCED if found.within else FigureVerdict.OFF
    return FigureComparison(
        figure,
        FigureVerdict.DIFFERS if differing else verdict,
        found,
        differing,
        seeds=len(values),
        keys=tuple(map(str, values["key"])),
    )


def _measured_rows(
    figure: PublishedFigure, of_curve: Mapping[Any, pd.DataFrame], known: KnownFiles
) -> tuple[pd.DataFrame, str]:
    """The rows that belong to the figure; why there are none."""
    none = pd.DataFrame()
    if figure.unavailable or figure.solver is None:
        return none, figure.unavailable
    corrector = figure.corrector.name if figure.corrector else ""
    curve = of_curve.get(
        (figure.table.metric.name, figure.model.name, figure.solver.name, corrector)
    )
    if curve is None:
        return none, "no row of this solver and model"
    same = _of_checkpoint(figure, curve, known)
    if same.empty:
        return none, f"no row of {figure.checkpoint}"
    there = _at_cost(figure, same)
    if there.empty:
        cost = f"row of {figure.evaluations} NFE" if figure.evaluations else "adaptive row"
        return none, f"no {cost}"
    first = there.iloc[0]
    return there[there["usable"]], f"{first['status']}: {first['reason']}"


def _of_checkpoint(figure: PublishedFigure, rows: pd.DataFrame, known: KnownFiles) -> pd.DataFrame:
    """The rows of the figure's weights, known by their name or by their hash."""
    named = {
        text: known.is_called(params(text).get("path"), figure.checkpoint)
        for text in rows["model_params"].unique()
    }
    hashed = rows["weights"].eq(figure.weights) if figure.weights else False
    return rows[rows["model_params"].map(named).astype(bool) | hashed]


def _at_cost(figure: PublishedFigure, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the figure's NFE, as measured; of its budget where a cell has no numbers."""
    if figure.evaluations is None:
        return rows[rows["budget"].isna()]
    cost = rows["nfe"].where(rows["nfe"].notna(), rows["budget"])
    return rows[(cost - figure.evaluations).abs() < 0.5]


def _protocols(
    figure: PublishedFigure, rows: pd.DataFrame, known: KnownFiles
) -> Iterator[tuple[tuple[Difference, ...], pd.DataFrame]]:
    """The rows of each protocol, with what it does not share with the figure."""
    for _, part in rows.groupby(_PROTOCOL, sort=False, dropna=False):
        yield tuple(differences(figure, part.iloc[0], known)), part
