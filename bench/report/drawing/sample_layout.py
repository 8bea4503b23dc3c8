"""The grid of samplers and budgets in which samples are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

MAX_ROWS, MAX_COLUMNS = 30, 8

COLUMNS = ("key", "curve", "budget", "seed", "nfe")
"""Of the results, what the layout needs."""


@dataclass(frozen=True)
class GridCell:
    """One cell in its place."""

    row: int
    column: int
    key: str
    nfe: float
    adaptive: bool


@dataclass(frozen=True)
class SampleGrid:
    """Cells in their places, and how many samplers are left out."""

    curves: tuple[str, ...]
    budgets: tuple[float, ...]
    cells: tuple[GridCell, ...]
    seed: int
    hidden: int


def sample_grid(frame: pd.DataFrame, order: Iterable[str]) -> SampleGrid | None:
    """Lay out the cells of one subject, for its lowest seed; None where nothing ran.

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
    there = set(cells["curve"])
    names = [curve for curve in order if curve in there]
    curves = tuple(names[:MAX_ROWS])
    rows = {curve: i for i, curve in enumerate(curves)}
    placed: dict[tuple[int, int], tuple[float, GridCell]] = {}
    for cell in cells[cells["curve"].isin(curves)].to_dict("records"):
        column, distance = _column(float(cell["budget"]), float(cell["nfe"]), budgets)
        if column is None:
            continue
        place = (rows[str(cell["curve"])], column)
        if place not in placed or distance < placed[place][0]:
            adaptive = math.isnan(cell["budget"])
            placed[place] = distance, GridCell(*place, str(cell["key"]), cell["nfe"], adaptive)
    chosen = tuple(cell for _, cell in placed.values())
    return SampleGrid(curves, tuple(budgets), chosen, int(seed), len(names) - len(curves))


def _column(budget: float, nfe: float, budgets: tuple[float, ...]) -> tuple[int | None, float]:
    """Return the column of a cell and its distance from there, in log NFE."""
    if not math.isnan(budget):
        return (budgets.index(budget), 0.0) if budget in budgets else (None, 0.0)
    if not nfe > 0:
        return None, 0.0
    distances = [abs(math.log(nfe / b)) for b in budgets]
    nearest = min(range(len(budgets)), key=distances.__getitem__)
    return nearest, distances[nearest]


def _spread(values: list[float], count: int) -> tuple[float, ...]:
    """Pick at most `count` of the values, the ends among them, evenly over their ranks."""
    if len(values) <= count:
        return tuple(values)
    picks = np.unique(np.linspace(0, len(values) - 1, count).round().astype(int))
    return tuple(values[i] for i in picks)
