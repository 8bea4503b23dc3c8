"""Logistic regression by Newton's method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

_STEPS = 25
_TOLERANCE = 1e-8


def fit_logistic(x: Tensor, labels: Tensor, penalty: float) -> Callable[[Tensor], Tensor]:
    """The log odds of label 1 as a function of features (m, p), shape (m,).

    Minimises the cross-entropy plus penalty / 2 times the squared weights of standardised
    features; convex, so that there is one solution. The intercept is not penalised.

    Args:
        x: features, float64, (n, p).
        labels: 0 or 1, float64, (n,).
        penalty: > 0.
    """
    mean, scale = x.mean(0), x.std(0).clamp_min(1e-12)

    def design(features: Tensor) -> Tensor:
        ones = features.new_ones(len(features), 1)
        return torch.cat([(features - mean) / scale, ones], 1)

    a = design(x)
    ridge = torch.full((a.shape[1],), penalty, dtype=a.dtype)
    ridge[-1] = 1e-6
    w = torch.zeros_like(ridge)

    def loss(weights: Tensor) -> float:
        fit = functional.binary_cross_entropy_with_logits(a @ weights, labels, reduction="sum")
        return float(fit + (ridge * weights.square()).sum() / 2)

    for _ in range(_STEPS):
        p = torch.sigmoid(a @ w)
        gradient = a.T @ (p - labels) + ridge * w
        curvature = (a.T * (p * (1 - p))) @ a + ridge.diag()
        step = torch.linalg.solve(curvature, gradient)
        now, length = loss(w), 1.0
        while loss(w - length * step) > now and length > 1e-6:
            length /= 2
        w = w - length * step
        if float(step.abs().max()) < _TOLERANCE:
            break
    return lambda features: design(features) @ w
