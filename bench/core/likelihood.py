"""Exact likelihoods of the probability-flow ODE through the same ODE solvers.

A solver is handed the extended state [y, w]. Its "denoiser" is [D, -s tr(dD/dy)], so that the ODE
dz/ds = (z - D_ext)/s, which every solver integrates, carries w with it: (w/s)' = tr(dD/dy)/s. From
div of (y - D)/s = (d - tr dD/dy)/s follows

    log p(y_0) = log N(y_T; 0, s_T^2 I) + d ln(s_T / s_0) - w_T / s_T

with w = 0 at s_0 (Song et al. 2021, arXiv:2011.13456, Eq. 39; Skilling 1989 and Hutchinson 1990
for the estimated trace). What is obtained is the density at noise level s_0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.core.model import CountedDenoiser, Denoiser
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.solver import OdeSolver


class Divergence(ABC):
    """Computes D and the trace of its Jacobian."""

    @abstractmethod
    def evaluate(self, model: CountedDenoiser, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """(D, trace of dD/dy), shapes (n, *shape) and (n,)."""

    def of_rows(self, rows: Tensor) -> Divergence:
        """The same for the points with the indices ``rows``."""
        return self


@dataclass(frozen=True)
class ExactDivergence(Divergence):
    """The trace by d vector-Jacobian products: for small dimensions."""

    def evaluate(self, model: CountedDenoiser, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            y = y.detach().requires_grad_(True)
            d = model(y, s)
            outputs, trace = d.flatten(1), y.new_zeros(y.shape[0])
            for i in range(outputs.shape[1]):
                last = i == outputs.shape[1] - 1
                (row,) = torch.autograd.grad(outputs[:, i].sum(), y, retain_graph=not last)
                trace += row.flatten(1)[:, i]
        return d.detach(), trace


@dataclass(frozen=True)
class HutchinsonDivergence(Divergence):
    """The Skilling-Hutchinson estimate v^T (dD/dy) v, averaged over fixed probes v.

    Attributes:
        probes: shape (k, n, *shape), entries of mean 0 and variance 1 (Rademacher: exact for
            diagonal Jacobians). Fixed along the path, as an ODE solver needs.
    """

    probes: Tensor

    def of_rows(self, rows: Tensor) -> Divergence:
        return HutchinsonDivergence(self.probes[:, rows])

    def evaluate(self, model: CountedDenoiser, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            y = y.detach().requires_grad_(True)
            d = model(y, s)
            trace = y.new_zeros(y.shape[0])
            for i, probe in enumerate(self.probes):
                last = i == len(self.probes) - 1
                (product,) = torch.autograd.grad(d, y, probe, retain_graph=not last)
                trace += (product * probe).flatten(1).sum(1)
        return d.detach(), trace / len(self.probes)


def log_likelihood(
    process: NoiseProcess,
    model: CountedDenoiser,
    divergence: Divergence,
    solver: OdeSolver[Any],
    times: Sequence[Time],
    y: Tensor,
) -> Tensor:
    """log p of ``y`` in nats under the probability-flow ODE, shape (n,).

    Args:
        process: the process in whose coordinates the solver works; the result does not depend
            on it but for the solver's error.
        model: the counted denoiser.
        divergence: exact or estimated trace.
        solver: any ODE solver.
        times: the grid, in the sampling direction (decreasing noise); it is reversed here.
        y: points of the density at noise level ``times[-1].s``, shape (n, *shape).
    """
    rising = tuple(reversed(times))
    d = y[0].numel()
    start = torch.cat([y.flatten(1), y.new_zeros(y.shape[0], 1)], dim=1)
    shape = y.shape[1:]
    problem = Problem(
        process,
        _extend(model, divergence, shape),
        select=lambda rows: _extend(model, divergence.of_rows(rows), shape),
    )
    end = solver.solve(problem, start * rising[0].alpha, rising) / rising[-1].alpha
    s_0, s_T = rising[0].s, rising[-1].s
    log_prior = -0.5 * (end[:, :d] / s_T).square().sum(1) - d * math.log(
        s_T * math.sqrt(2 * math.pi)
    )
    return log_prior + d * math.log(s_T / s_0) - end[:, d] / s_T


def _extend(model: CountedDenoiser, divergence: Divergence, shape: Sequence[int]) -> Denoiser:
    def denoise(y: Tensor, s: Tensor) -> Tensor:
        d, trace = divergence.evaluate(model, y[:, :-1].reshape(-1, *shape), s)
        return torch.cat([d.flatten(1), (-s * trace)[:, None]], dim=1)

    return denoise
