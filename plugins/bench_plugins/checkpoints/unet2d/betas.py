"""diffusers' tables of betas, by the names that its configurations have for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from bench_plugins.checkpoints.levels import LevelTable

FROM_ENDS = ("linear", "scaled_linear", "sigmoid")
"""Schedules that beta_start and beta_end decide; the others have no such parameters."""


def betas_of(schedule: str, levels: int, ends: tuple[float, float]) -> Tensor:
    """The betas of a schedule, rounded to float32 as diffusers has them, float64, (levels,)."""
    start, end = ends
    if schedule == "linear":
        betas = torch.linspace(start, end, levels, dtype=torch.float32)
    elif schedule == "scaled_linear":
        betas = torch.linspace(start**0.5, end**0.5, levels, dtype=torch.float32) ** 2
    elif schedule == "sigmoid":
        ramp = torch.linspace(-6, 6, levels, dtype=torch.float32)
        betas = torch.sigmoid(ramp) * (end - start) + start
    else:
        betas = _of_squared_alphas(_SQUARED_ALPHAS[schedule], levels)
    return betas.double()


def table_of(betas: Tensor, rescaled: bool, last_alpha: float) -> LevelTable:
    """The noise levels of a table of betas, float64, (n,).

    Args:
        betas: between 0 and 1; of the last may be 1, which leaves no signal.
        rescaled: whether it is shifted and scaled so that the last level has no signal (Lin et
            al. 2024, arXiv:2305.08891, algorithm 1).
        last_alpha: the squared alpha that the last level has then in place of 0; 0: that level
            has an infinite noise-to-signal ratio and is left out.
    """
    if not rescaled:
        return LevelTable.of_betas(betas[:-1] if float(betas[-1]) == 1 else betas)
    roots = torch.log1p(-betas).cumsum(0).div(2).exp()
    first, last = roots[0].clone(), roots[-1].clone()
    squares = ((roots - last) * (first / (first - last))).square()[:-1]
    if last_alpha:
        squares = torch.cat([squares, squares.new_tensor([last_alpha])])
    return LevelTable.of_squared_alphas(squares)


def _of_squared_alphas(squared_alpha: Callable[[float], float], levels: int) -> Tensor:
    values = [squared_alpha(i / levels) for i in range(levels + 1)]
    betas = [min(1 - b / a, 0.999) for a, b in pairwise(values)]
    return torch.tensor(betas, dtype=torch.float32)


def _cosine(t: float) -> float:
    return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2


def _laplace(t: float) -> float:
    half = -0.5 * math.copysign(1, 0.5 - t) * math.log(1 - 2 * math.fabs(0.5 - t) + 1e-6)
    return math.sqrt(math.exp(half) / (1 + math.exp(half)))


def _exponential(t: float) -> float:
    return math.exp(t * -12.0)


_SQUARED_ALPHAS = {"squaredcos_cap_v2": _cosine, "laplace": _laplace, "exp": _exponential}
