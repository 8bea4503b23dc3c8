"""Grids given by shares of the way in rectified flow's time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from bench.api import NoiseProcess, Time, times_at_levels

Array = npt.NDArray[np.float64]


def times_at_shares(
    process: NoiseProcess, shares: Array, s_min: float, s_max: float
) -> tuple[Time, ...]:
    """The ends and, between them, points at ``shares`` of the way in u = s / (1 + s).

    Shares fall from near 1 (at s_max) to near 0 (at s_min); the ends are no part of them.
    """
    low, high = s_min / (1 + s_min), s_max / (1 + s_max)
    u = low + shares * (high - low)
    inner = times_at_levels(process, torch.from_numpy(u / (1 - u)))
    return process.at_s(s_max), *inner, process.at_s(s_min)
