"""The cells that a figure shows at one budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.extend import SubjectData

MAX_BUDGETS = 3

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Sheet:
    """Arrays that were kept of the samplers at one budget.

    Attributes:
        budget: in NFE.
        kept: by curve, see `bench.extend.SubjectData.kept`.
    """

    budget: float
    kept: Mapping[str, Arrays]


def sheets(subject: SubjectData) -> Iterator[Sheet]:
    """The least, a middle and the largest budget, of the lowest seed, with what answers something.

    Adaptive solvers have no budget: of each the cell with the nearest NFE.
    """
    rows = subject.rows[subject.rows["task"].ne("")]
    rows = rows[rows["seed"].eq(rows["seed"].min())].drop_duplicates("key")
    budgets = sorted(rows["budget"].dropna().unique()) or sorted(rows["nfe"].dropna().unique())
    places = np.linspace(0, len(budgets) - 1, MAX_BUDGETS).round() if budgets else np.empty(0)
    for budget in (float(budgets[int(place)]) for place in np.unique(places)):
        found = {curve: subject.kept(key) for curve, key in _keys(rows, budget)}
        kept = {
            curve: arrays for curve, arrays in found.items() if {"samples", "number"} <= set(arrays)
        }
        if kept:
            yield Sheet(budget, kept)


def _keys(rows: pd.DataFrame, budget: float) -> Iterator[tuple[str, str]]:
    """Curve and key of the cells at a budget."""
    for curve, part in rows.groupby("curve", sort=False):
        fixed = part[part["budget"].eq(budget)]
        if len(fixed):
            yield str(curve), str(fixed["key"].iloc[0])
        elif part["budget"].isna().all() and part["nfe"].gt(0).any():
            known = part[part["nfe"].gt(0)]
            nearest = int((known["nfe"] / budget).map(np.log).abs().to_numpy().argmin())
            yield str(curve), str(known["key"].iloc[nearest])
