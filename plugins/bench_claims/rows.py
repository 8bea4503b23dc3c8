"""The rows of a run as curves: replicates over budgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import load_results
from bench.results.frame import clean
from bench.stats.intervals import half_widths
from bench_claims.verdict import Floats, Line


@dataclass(frozen=True)
class Curve:
    """One number of one sampler: a replicate for each seed, over budgets or tolerances.

    Attributes:
        nfe: mean network evaluations, increasing, (points,).
        steps: of the grid, NaN for adaptive solvers, (points,).
        values: (seeds, points).
        seeds: (seeds,).
    """

    nfe: Floats
    steps: Floats
    values: Floats
    seeds: Floats

    def at(self, nfe: float) -> Floats:
        """The replicates at the point that is nearest to so many evaluations, (seeds,)."""
        if not self.nfe.size:
            return np.empty(0)
        return np.asarray(self.values[:, int(np.abs(np.log(self.nfe / nfe)).argmin())])

    def of_seeds(self, places: npt.NDArray[np.intp]) -> Curve:
        """The replicates at these places."""
        return replace(self, values=self.values[places], seeds=self.seeds[places])

    def line(self, label: str) -> Line:
        """Means over the seeds with 95 % intervals, to be drawn over NFE."""
        unknown = np.full(len(self.nfe), np.nan)
        count = np.full(len(self.nfe), float(len(self.seeds)))
        mean = self.values.mean(0) if len(self.seeds) else unknown
        deviation = self.values.std(0, ddof=1) if len(self.seeds) > 1 else unknown
        width, _ = half_widths(count, deviation, unknown)
        return Line(label, self.nfe, mean, mean - width, mean + width)


NOTHING = Curve(np.empty(0), np.empty(0), np.empty((0, 0)), np.empty(0))


@dataclass(frozen=True)
class Rows:
    """Usable rows of a run's table.

    Attributes:
        frame: with the columns of docs/schema.md.
    """

    frame: pd.DataFrame

    @staticmethod
    def of(raw: pd.DataFrame) -> Rows:
        """The usable rows of a table as `bench.load_results` gives it."""
        frame = clean(raw)
        return Rows(frame[frame["usable"]])

    def where(self, **equal: str | float) -> Rows:
        """The rows whose columns have these values."""
        keep = pd.Series(True, index=self.frame.index)
        for column, value in equal.items():
            keep &= self.frame[column].eq(value)
        return Rows(self.frame[keep])

    def curve(self) -> Curve:
        """The rows as one curve, over the seeds that have every point.

        Rows must differ in seed and in budget or tolerance alone.
        """
        frame = self.frame
        if frame.empty:
            return NOTHING
        point = frame["budget"].fillna(frame["tolerance"])
        table = frame.assign(point=point).pivot_table("value", "seed", "point", observed=True)
        whole = table.dropna()
        means = frame.assign(point=point).groupby("point")[["nfe", "steps"]].mean()
        order = means["nfe"].argsort(kind="stable")
        return Curve(
            means["nfe"].to_numpy(float)[order],
            means["steps"].to_numpy(float)[order],
            whole.to_numpy(float)[:, order],
            whole.index.to_numpy(float),
        )


def read_rows(folder: Path) -> Rows:
    """The usable rows of the results in a folder.

    Raises:
        BenchError: there are none, or they are damaged.
    """
    return Rows.of(load_results(folder))
