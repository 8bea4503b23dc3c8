"""Adaptive steps in lambda, each sample with its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.api import SHARD, AdaptiveOdeSolver, BenchError, Problem, Time, require, rows_of


@dataclass(frozen=True)
class OwnSteps(AdaptiveOdeSolver):
    """An embedded pair in the half log-SNR with a step size for each sample.

    A subclass says in ``attempt`` what its two formulas give; ``order`` is the higher one's. The
    controller is that of Lu et al. 2022, Appendix C: with E the root mean square of
    (x_high - x_low) / max(atol, rtol max(|x_low|, |x_prev|)), a step is taken (to x_high) where
    E <= 1, and the next one is theta h E^(-1/order), cut at the end.

    Each sample has its own lambda, h and E, and those that have arrived leave the batch: NFE is
    the mean over samples, and none depends on another (the authors take the largest E of the
    batch). A rejected step is repeated whole, as in the authors' code.

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
    def attempt(
        self, problem: Problem, y: Tensor, now: Tensor, then: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(y_low, y_high - y_low) at lambda ``then`` from ``y`` at ``now``, both of shape (n,).

        The difference stands apart: between two results it would drown in round-off.
        """

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        # Shard by shard: the network gives other last bits for batches of another size.
        end = torch.empty_like(x)
        for rows in torch.arange(len(x), device=x.device).split(SHARD):
            self._solve(problem, x[rows], rows, end, (times[0], times[-1]))
        return end

    def _solve(
        self, problem: Problem, x: Tensor, rows: Tensor, end: Tensor, ends: tuple[Time, Time]
    ) -> None:
        """Write into ``end`` where the samples ``rows`` arrive, which are at ``x`` now."""
        first, last = ends
        lam = torch.full((len(x),), first.lam, dtype=torch.float64, device=x.device)
        h, y, size = torch.full_like(lam, self.h_init), x / first.alpha, x.abs()
        while len(rows):
            left = last.lam - lam
            h = h.minimum(left.abs())
            then = torch.where(h == left.abs(), last.lam, lam + h.copysign(left))
            low, gap = self.attempt(problem.of_rows(rows), y, lam, then)
            error, x_low = self._error(problem, low, gap, then, size)
            good = error <= 1
            y = torch.where(rows_of(good, y), low + gap, y)
            size = torch.where(rows_of(good, y), x_low, size)
            lam = torch.where(good, then, lam)
            h = self.theta * h * error ** (-1 / self.order)
            if not bool((h > 1e-12).all()):  # nor where it is NaN
                raise BenchError(
                    f"solver '{self.name}': a step in lambda shrank to nothing; the network "
                    "returned what is not finite, or the tolerance is below round-off"
                )
            going = lam != last.lam
            if not bool(going.all()):
                end[rows[~going]] = last.alpha * y[~going]
                lam, h, y, size, rows = (v[going] for v in (lam, h, y, size, rows))

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
