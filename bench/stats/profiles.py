"""Performance profiles (Dolan and Moré 2002) and data profiles (COCO's ECDF)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.arrays import Floats

STEPS = 1000
"""Distinct ratios at which a profile is given; of more, as many at equal distances in the log."""


@dataclass(frozen=True)
class Profile:
    """Shares of all samplers over a common axis: (samplers, points)."""

    x: Floats
    shares: Floats


def performance_profile(costs: Floats, ratios: Floats) -> Floats:
    """The share of problems solved within a ratio of the best cost.

    Args:
        costs: (solvers, problems), positive; infinite or NaN: not solved.
        ratios: (points,), at least 1.

    Returns:
        (solvers, points). Problems that no solver solves count as solved by none.
    """
    filled = np.where(np.isfinite(costs), costs, np.inf)
    best = filled.min(axis=0)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(filled), filled / best, np.inf)
    return np.asarray((share[:, :, None] <= ratios[None, None]).mean(axis=1))


def data_profile(costs: Floats, budgets: Floats) -> Floats:
    """The share of (problem, target) pairs reached within a budget.

    Args:
        costs: NFE to reach each target, (solvers, pairs); infinite or NaN: never.
        budgets: (points,).

    Returns:
        (solvers, points).
    """
    filled = np.where(np.isfinite(costs), costs, np.inf)
    return np.asarray((filled[:, :, None] <= budgets[None, None]).mean(axis=1))


def performance(costs: Floats, most: int = STEPS) -> Profile:
    """The performance profiles at all ratios where one changes, or at ``most`` of them.

    Args:
        costs: as in ``performance_profile``, infinite where not solved.
        most: steps of the axis.
    """
    best = costs.min(axis=0)
    with np.errstate(invalid="ignore"):
        ratios = (costs / best)[np.isfinite(costs)]
    steps = np.unique(np.append(ratios, 1.0))
    if len(steps) > most:
        steps = np.geomspace(1.0, steps[-1], most)
        steps[-1] = ratios.max()  # not a rounding less
    return Profile(steps, performance_profile(costs, steps))


def data(reached: Floats) -> Profile:
    """The data profiles at all NFE where one changes.

    Args:
        reached: as ``costs`` in ``data_profile``.
    """
    steps = np.unique(reached[np.isfinite(reached)])
    return Profile(steps, data_profile(reached, steps))


def changes(x: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """The first place, and those where the share of one sampler changes."""
    keep = np.append(True, np.diff(shares) > 0)[: len(x)]
    return x[keep], shares[keep]
