"""Least squares by Levenberg and Marquardt's method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TRIES = 6


def levenberg_marquardt(
    residuals: Callable[[Tensor], Tensor], start: Tensor, iterations: int, width: float = 0.05
) -> Tensor:
    """Parameters, shape (p,) and float64, at which the sum of squares is smaller, or ``start``.

    Derivatives are forward differences of ``width``, so that an iteration calls ``residuals`` p
    times, and once for each damping tried (up to six). No step that is worse, or not finite, is
    taken.
    """
    theta, damping = start, 0.1
    gap = residuals(theta)
    for _ in range(iterations):
        jacobian = torch.stack(
            [
                (residuals(theta + width * unit) - gap) / width
                for unit in torch.eye(len(theta)).double()
            ]
        )
        normal, slope = jacobian @ jacobian.T, jacobian @ gap
        if not bool(normal.isfinite().all() and slope.isfinite().all()):
            return theta
        for _ in range(TRIES):
            # Marquardt's scaling, with a floor for what hardly matters.
            ridge = damping * (normal.diagonal() + 1e-3 * normal.diagonal().mean() + 1e-300)
            step = torch.linalg.solve(normal + ridge.diag(), slope)
            tried = theta - step
            found = residuals(tried)
            if float(found.square().sum()) < float(gap.square().sum()):
                theta, gap, damping = tried, found, damping / 5
                break
            damping *= 8
        else:
            return theta
    return theta
