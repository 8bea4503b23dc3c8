"""A comparison as data: what was asked, every verdict, what was refused, failed or missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import pandas as pd

from bench.compare.gates import Gate
from bench.compare.refusal import Refusal
from bench.compare.verdict import Verdict


class ExitCode(IntEnum):
    """What `bench compare` ends with."""

    FINE = 0
    REGRESSION = 1
    NOT_COMPARABLE = 2


NEVER_RAN = "missing"
"""Status of what HEAD has no row of."""


@dataclass(frozen=True)
class MissingPoints:
    """Points of a curve that BASE has and HEAD has not.

    Attributes:
        suite, model, curve, metric: where.
        status: of HEAD's cells; ``missing`` where there are none.
        reason: why, as HEAD's rows tell it.
        points: how many.
        gated: whether it fails the comparison: not where no gate names it, nor where HEAD never
            ran it and may lack it.
    """

    suite: str
    model: str
    curve: str
    metric: str
    status: str
    reason: str
    points: int
    gated: bool


@dataclass(frozen=True)
class Comparison:
    """The result of `bench compare`.

    Attributes:
        base, head: what was compared, as the user named it.
        alpha: family-wise error of each metric, and 1 - level of the intervals.
        gates: what must not get worse.
        points: one row for each compared point, the columns of ``bench.compare.compare.COLUMNS``.
        curves: one row for each curve and metric (``bench.compare.curves``).
        overall: one row for each metric, over all curves (``bench.compare.aggregate``).
        refused: what must not be compared.
        missing: what HEAD lacks.
        new: curves and metrics that only HEAD has, with their points.
        unmet: gates, metrics and targets that were asked for and of which nothing was compared.
        files: of each file that a parameter names: what it is called here, its digest and where it
            lay in BASE and in HEAD.
    """

    base: str
    head: str
    alpha: float
    gates: tuple[Gate, ...]
    points: pd.DataFrame
    curves: pd.DataFrame
    overall: pd.DataFrame
    refused: tuple[Refusal, ...]
    missing: tuple[MissingPoints, ...]
    new: pd.DataFrame
    unmet: tuple[str, ...] = ()
    files: tuple[Mapping[str, str], ...] = ()

    @property
    def regressions(self) -> pd.DataFrame:
        """Gated points that got worse; where a gate is for both sides, those that moved."""
        found, both = self.points["verdict"], self.points["both"]
        moved = found.eq(Verdict.CHANGED) | (found.eq(Verdict.BETTER) & both)
        return self.points[self.points["gated"] & (found.eq(Verdict.WORSE) | moved)]

    @property
    def exit_code(self) -> ExitCode:
        """A regression outweighs what could not be compared; nothing compared is never fine."""
        if not len(self.points):
            return ExitCode.NOT_COMPARABLE
        if len(self.regressions):
            return ExitCode.REGRESSION
        if self.unmet:
            return ExitCode.NOT_COMPARABLE
        if any(item.gated for item in self.missing):
            return ExitCode.REGRESSION
        return ExitCode.NOT_COMPARABLE if self.refused else ExitCode.FINE
