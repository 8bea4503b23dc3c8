"""Converged codes, against which those of a solver are held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import Denoiser, unit_interval
from bench_plugins.latents.differences import relative_distances


@dataclass(frozen=True, eq=False)
class ConvergedCodes:
    """Codes (n, *shape), float64 on the CPU, and their estimated mean relative error."""

    codes: Tensor
    error: float


def converge(
    encode: Callable[[int], Tensor],
    steps: int,
) -> ConvergedCodes:
    """The codes that ``encode`` gives with ``steps`` steps of a method of order 4.

    The error is Richardson's estimate: 1/15 of the difference to half as many steps.
    """
    fine, coarse = encode(steps).double().cpu(), encode(steps // 2).double().cpu()
    return ConvergedCodes(fine, float(relative_distances(coarse, fine).mean()) / 15)


def encode_by_kutta(model: Denoiser, y: Tensor, span: tuple[float, float], steps: int) -> Tensor:
    """The codes of points ``y`` (n, *shape) at s = span[0] by the classical method of order 4.

    It integrates dy/du = (7 / u) (y - D(y; u^7)) in the variable u = s^(1/7) of Karras et al.'s
    grid (arXiv:2206.00364, Eq. 5), in which the ODE is smooth down to s_min, on equal steps.
    """

    def slope(u: float, at: Tensor) -> Tensor:
        s = torch.full((), u**7, dtype=at.dtype, device=at.device)
        return (at - model(at, s)) * (7 / u)

    low, high = (s ** (1 / 7) for s in span)
    h = (high - low) / steps
    for share in unit_interval(steps)[:-1].tolist():
        u = low + share * (high - low)
        k1 = slope(u, y)
        k2 = slope(u + h / 2, y + h / 2 * k1)
        k3 = slope(u + h / 2, y + h / 2 * k2)
        k4 = slope(u + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y / span[1]
