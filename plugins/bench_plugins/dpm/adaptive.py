"""Adaptive steps in lambda by embedded pairs of DPM-Solvers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

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
    require,
    rows_of,
)


@dataclass(frozen=True)
class AdaptiveDpm(PerSampleOdeSolver):
    """An embedded pair in the half log-SNR with a step size for each sample.

    A subclass gives its two formulas in ``pair``; ``order`` is the higher one's. The controller is
    that of Lu et al. 2022, Appendix C: with E the root mean square of
    (x_high - x_low) / max(atol, rtol max(|x_low|, |x_prev|)), a step is taken (to x_high) where
    E <= 1, and the next one is theta h E^(-1/order), cut at the end.

    Each sample has its own lambda, h and E (the authors take the largest E of the batch). A
    rejected step is repeated whole, as in the authors' code.

    The arithmetic is in y = x / alpha, where y and the noise level s are all that a formula needs;
    tolerances are those of x. lambda is float64 whatever the samples are.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: 0.156 rtol, the paper's proportion (0.0078 to 0.05).
        h_init: first step in lambda.
        theta: share of the step that the error would allow.
    """

    rtol: float = 0.05
    atol: float | None = None
    h_init: float = 0.05
    theta: float = 0.9

    def __post_init__(self) -> None:
        require(self.rtol > 0, "rtol must be > 0")
        require(self.atol is None or self.atol > 0, "atol must be > 0")
        require(self.h_init > 0, "h_init must be > 0")
        require(0 < self.theta < 1, "theta must lie between 0 and 1")

    @abstractmethod
    def pair(self, problem: Problem, y: Tensor, now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
        """(y_low, y_high - y_low) at lambda ``then`` from ``y`` at ``now``, both of shape (n,).

        The difference stands apart: between two results it would drown in round-off.
        """

    def begin(self, problem: Problem, x: Tensor, first: Time, last: Time) -> WalkStart:
        h = torch.full((len(x),), self.h_init, dtype=torch.float64, device=x.device)
        return WalkStart(x / first.alpha, first.lam, last.lam, h, memory=(x.abs(),))

    def attempt(self, problem: Problem, walk: Walk, then: Tensor) -> TriedStep:
        (size,) = walk.memory
        low, gap = self.pair(problem, walk.x, walk.now, then)
        error, x_low = self._error(problem, low, gap, then, size)
        h = self.theta * walk.h * error ** (-1 / self.order)
        if not bool((h > 1e-12).all()):  # nor where it is NaN
            raise BenchError(
                f"solver '{self.name}': a step in lambda shrank to nothing; the network "
                "returned what is not finite, or the tolerance is below round-off"
            )
        return TriedStep(low + gap, error <= 1, h, memory=(x_low,))

    def finish(self, x: Tensor, last: Time) -> Tensor:
        return last.alpha * x

    def _error(
        self, problem: Problem, low: Tensor, gap: Tensor, then: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor]:
        """E of each sample and |x_low|; ``size`` is the |x_low| of the step before."""
        process = problem.process
        alpha = rows_like(process.alpha(process.time_at((-then).exp())), low)
        x_low = (alpha * low).abs()
        atol = 0.156 * self.rtol if self.atol is None else self.atol
        allowed = (self.rtol * x_low.maximum(size)).clamp_min(atol)
        return (alpha * gap / allowed).flatten(1).square().mean(1).sqrt().double(), x_low


def eps_at(problem: Problem, y: Tensor, lam: Tensor) -> Tensor:
    """The predicted noise (y - D) / s, every sample at its own ``lam``. One evaluation."""
    s = (-lam).exp().to(y.dtype)
    return (y - problem.model(y, s)) / rows_of(s, y)


def rows_like(values: Tensor, y: Tensor) -> Tensor:
    """``values`` of shape (n,), float64, in the dtype of ``y`` and shaped to multiply its rows."""
    return rows_of(values.to(y.dtype), y)
