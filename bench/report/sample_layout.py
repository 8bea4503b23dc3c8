"""Where the samples of each cell stand in a grid of samplers and budgets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.report.looks import Look

MAX_ROWS, MAX_COLUMNS = 30, 8

COLUMNS = ("key", "curve", "budget", "seed", "nfe")
"""Of the results, what the layout needs."""


@dataclass(frozen=True)
class Cell:
    """One field of the grid: samples, or why there are none."""

    row: int
    column: int
    key: str
    nfe: float
    adaptive: bool


@dataclass(frozen=True)
class Layout:
    """Which cell stands where, and what is left out."""

    curves: tuple[str, ...]
    budgets: tuple[float, ...]
    cells: tuple[Cell, ...]
    seed: int
    hidden: int


def layout(frame: pd.DataFrame, looks: Mapping[str, Look]) -> Layout | None:
    """The grid of one subject, for its lowest seed; None where nothing ran.

    Adaptive solvers have no budget: each of their cells goes to the column whose budget is nearest
    to its measured NFE, and says that NFE.
    """
    seed = frame["seed"].min()
    cells = frame[frame["seed"].eq(seed)].drop_duplicates("key")
    every = sorted(cells["budget"].dropna().unique()) or sorted(
        cells["nfe"].dropna().round().unique()
    )
    if not every:
        return None
    budgets = _spread(every, MAX_COLUMNS)
    names = [curve for curve in looks if curve in set(cells["curve"])]
    curves = tuple(names[:MAX_ROWS])
    rows = {curve: i for i, curve in enumerate(curves)}
    placed: dict[tuple[int, int], tuple[float, Cell]] = {}
    for cell in cells[cells["curve"].isin(curves)].to_dict("records"):
        column, distance = _column(float(cell["budget"]), float(cell["nfe"]), budgets)
        if column is None:
            continue
        adaptive = math.isnan(cell["budget"])
        field = Cell(rows[str(cell["curve"])], column, str(cell["key"]), cell["nfe"], adaptive)
        at = (field.row, field.column)
        if at not in placed or distance < placed[at][0]:
            placed[at] = (distance, field)
    chosen = tuple(field for _, field in placed.values())
    return Layout(curves, tuple(budgets), chosen, int(seed), len(names) - len(curves))


def _column(budget: float, nfe: float, budgets: tuple[float, ...]) -> tuple[int | None, float]:
    """Where a cell goes and how far, in log NFE, it is from there."""
    if not math.isnan(budget):
        return (budgets.index(budget), 0.0) if budget in budgets else (None, 0.0)
    if not nfe > 0:
        return None, 0.0
    distances = [abs(math.log(nfe / b)) for b in budgets]
    nearest = min(range(len(budgets)), key=distances.__getitem__)
    return nearest, distances[nearest]


def _spread(values: list[float], count: int) -> tuple[float, ...]:
    """At most `count` of the values, the ends among them, evenly over their ranks."""
    if len(values) <= count:
        return tuple(values)
    picks = np.unique(np.linspace(0, len(values) - 1, count).round().astype(int))
    return tuple(values[i] for i in picks)
