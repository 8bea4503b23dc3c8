"""Pareto fronts: the points that no other beats in quality and cost at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd


def pareto_front(cost: npt.NDArray[np.float64], rank: npt.NDArray[np.float64]) -> list[int]:
    """Return the places of the points that no other beats, by increasing cost.

    Args:
        cost: of each point, the less the better.
        rank: of each point, the less the better.
    """
    chosen: list[int] = []
    for i in np.lexsort((rank, cost)):
        if not chosen or rank[i] < rank[chosen[-1]]:
            chosen.append(int(i))
    return chosen


def mark_fronts(means: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add a column for each cost that says if a point is on the front.

    Args:
        means: of all subjects.
        keys: what keeps fronts apart: subject, metric and protocol.
    """
    marked = means.assign(front_nfe=False, front_wall_clock=False)
    ranked = means[means["ranked"]]
    for name, column in (("front_nfe", "nfe"), ("front_wall_clock", "wall_per_sample_s")):
        for _, part in ranked[ranked[column] > 0].groupby(keys, dropna=False, sort=False):
            cost = part[column].to_numpy(dtype=float)
            best = pareto_front(cost, part["rank"].to_numpy(dtype=float))
            marked.loc[part.index[best], name] = True
    return marked
