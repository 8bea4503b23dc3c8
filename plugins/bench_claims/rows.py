"""The rows of a run as curves: replicates over budgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
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

    def line(self, label: str) -> Line:
        """Means over the seeds with 95 % intervals, to be drawn over NFE."""
        count = np.full(len(self.nfe), float(len(self.seeds)))
        mean = self.values.mean(0) if len(self.seeds) else np.empty(0)
        deviation = self.values.std(0, ddof=1) if len(self.seeds) > 1 else np.full(len(mean), np.nan)
        width, _ = half_widths(count, deviation, np.full(len(mean), np.nan))
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
        """The rows whose columns have these values; a text ending in ``*`` is a beginning."""
        keep = pd.Series(True, index=self.frame.index)
        for column, value in equal.items():
            if isinstance(value, str) and value.endswith("*"):
                keep &= self.frame[column].str.startswith(value[:-1])
            else:
                keep &= self.frame[column].eq(value)
        return Rows(self.frame[keep])

    def values(self, column: str) -> list[str]:
        """The distinct texts of a column, in the order of the rows."""
        return [str(value) for value in self.frame[column].unique()]

    def curve(self, **equal: str | float) -> Curve:
        """The curve of the rows that fit, over the seeds that have every point.

        Rows must differ in seed and in budget or tolerance alone.
        """
        frame = self.where(**equal).frame
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
