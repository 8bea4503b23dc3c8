"""Gradients of the misfit through the network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import Given, Observation, Time, rows_of


@dataclass
class LastGradient:
    """The gradient of the last evaluation, until it has been used.

    Attributes:
        value: of ||y - A(D)|| in a variance-preserving x, (n, *shape), or None.
    """

    value: Tensor | None = None


def residual_gradient(observation: Observation, d: Tensor) -> Tensor:
    """The gradient of ||y - A(d)|| of each sample in ``d``, shape of ``d``; 0 where it is 0."""
    with torch.enable_grad():
        leaf = d.detach().requires_grad_(True)
        norms = torch.linalg.vector_norm(observation.residual(leaf), dim=1)
        (gradient,) = torch.autograd.grad(norms.sum(), leaf)
    return gradient


def evaluate(given: Given, y: Tensor, s: Tensor, memory: LastGradient) -> Tensor:
    """D, and its gradient into ``memory``; one evaluation and one VJP."""
    d, vjp = given.usual.with_vjp(y, s)
    slope = vjp(residual_gradient(given.observation, d))
    memory.value = slope * (1 + rows_of(s, y).square()).sqrt()
    return d


def descend(x: Tensor, now: Time, memory: LastGradient, zeta: float) -> Tensor:
    """``x`` minus 2 ``zeta`` times the gradient; ``x`` itself if there is none. Uses it up."""
    gradient, memory.value = memory.value, None
    if gradient is None:
        return x
    return torch.add(x, gradient, alpha=-2 * zeta * now.alpha * (1 + now.s**2) ** 0.5)
