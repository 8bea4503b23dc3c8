"""Embedded Runge-Kutta pairs with a step size for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    PerSampleOdeSolver,
    Problem,
    Time,
    TriedStep,
    Walk,
    WalkStart,
    combine,
    require,
    rows_of,
)

# Hairer, Norsett and Wanner 1993, Eq. II.4.13: a safety factor, and bounds on how much a step may
# differ from the one before. The book advises 1.5 to 5 for GROW; common code has 10, with which a
# single sample, whose error estimate is now and then small by accident, jumps too far.
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0


@dataclass(frozen=True)
class EmbeddedPair:
    """A Runge-Kutta pair whose last stage is evaluated at the result (first same as last).

    Attributes:
        a: rows from stage 2 on; the last row gives the result.
        c: nodes from stage 2 on; the last is 1.
        error: weights of the error estimate, one for each stage.
        error_order: the estimate is of the size h^error_order.
    """

    a: tuple[tuple[float, ...], ...]
    c: tuple[float, ...]
    error: tuple[float, ...]
    error_order: int


@dataclass(frozen=True)
class EmbeddedRungeKutta(PerSampleOdeSolver):
    """dx/dt = velocity(x, t) by ``pair``; every sample has its own time, step and error norm.

    An attempt is accepted where the root mean square over the sample's entries of
    error / (atol + rtol max(|x|, |x_then|)) is at most 1.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: the same as ``rtol``.
    """

    pair: ClassVar[EmbeddedPair]

    rtol: float = 1e-5
    atol: float | None = None

    def __post_init__(self) -> None:
        require(self.rtol > 0, "rtol must be > 0")
        require(self.atol is None or self.atol > 0, "atol must be > 0")

    def begin(self, problem: Problem, x: Tensor, first: Time, last: Time) -> WalkStart:
        # Times and steps are float64 on the CPU, where the schedule is computed.
        flow = _Flow(problem, first.t, last.t)
        t = torch.full((len(x),), first.t, dtype=torch.float64)
        slope = flow.velocity(t, x)
        h = self._first_step(flow, t, x, slope)
        return WalkStart(x, first.t, last.t, h, memory=(slope,))

    def attempt(self, problem: Problem, walk: Walk, then: Tensor) -> TriedStep:
        if bool((then == walk.now).any()):
            raise BenchError(
                f"{self.name}: steps vanish at t = {float(walk.now.min()):g}.."
                f"{float(walk.now.max()):g}; the model's output is not finite, or "
                f"rtol = {self.rtol:g} is out of reach"
            )
        flow, (slope,) = _Flow(problem, walk.start, walk.end), walk.memory
        h = walk.h.copysign(then - walk.now)
        width, slopes, x = rows_of(h.to(walk.x), walk.x), [slope], walk.x
        for row, node in zip(self.pair.a, self.pair.c, strict=True):
            x = combine(*zip(row, slopes, strict=True)).mul_(width).add_(walk.x)
            slopes.append(flow.velocity(walk.now + node * h, x))
        error = combine(*zip(self.pair.error, slopes, strict=True)).mul_(width)
        size = self._norms(error, walk.x, x)
        factor = (SAFETY * size ** (-1 / self.pair.error_order)).clamp(SHRINK, GROW)
        # Right after a rejection a step does not grow.
        factor = torch.where(walk.rejected, factor.clamp(max=1), factor)
        return TriedStep(x, size <= 1, walk.h * factor, memory=(slopes[-1],))

    def _norms(self, error: Tensor, *states: Tensor) -> Tensor:
        """The norm of each sample's ``error`` in units of the tolerance, infinite for nan."""
        largest = torch.stack([x.abs() for x in states]).amax(0)
        atol = self.rtol if self.atol is None else self.atol
        scaled = (error / (atol + self.rtol * largest)).flatten(1)
        norms = scaled.square().mean(1).sqrt().cpu().double()
        return norms.nan_to_num(nan=torch.inf, posinf=torch.inf)

    def _first_step(self, flow: _Flow, t: Tensor, x: Tensor, slope: Tensor) -> Tensor:
        """Hairer, Norsett and Wanner 1993, Section II.4, "starting step size", for each sample."""
        span = abs(flow.last - flow.first)
        sign = 1.0 if flow.last > flow.first else -1.0
        d0, d1 = self._norms(x, x), self._norms(slope, x)
        h0 = torch.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1).clamp(max=span)
        euler = torch.addcmul(x, rows_of((sign * h0).to(x), x), slope)
        change = flow.velocity(t + sign * h0, euler).sub_(slope)
        d2 = self._norms(change, x) / h0
        fastest = torch.maximum(d1, d2)
        h1 = torch.where(
            fastest <= 1e-15,
            (1e-3 * h0).clamp(min=1e-6),
            (0.01 / fastest) ** (1 / self.pair.error_order),
        )
        return torch.minimum(100 * h0, h1).clamp(max=span)


@dataclass(frozen=True, eq=False)
class _Flow:
    """The probability-flow ODE between two times, samples at times of their own."""

    problem: Problem
    first: float
    last: float

    def velocity(self, t: Tensor, x: Tensor) -> Tensor:
        """dx/dt of each row of ``x`` at its ``t``, one evaluation: Problem.velocity by rows."""
        # Round-off must not lead outside, where there may be no process.
        t = t.clamp(min(self.first, self.last), max(self.first, self.last))
        process = self.problem.process
        alpha, sigma = process.alpha(t), process.sigma(t)
        rate = process.g2(t) / (2 * sigma**2)
        d = self.problem.model(x * _rows(1 / alpha, x), (sigma / alpha).to(x))
        return (x * _rows(process.f(t) + rate, x)).addcmul_(_rows(-rate * alpha, x), d)


def _rows(values: Tensor, x: Tensor) -> Tensor:
    return rows_of(values.to(x), x)
