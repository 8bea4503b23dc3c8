"""Adaptive Runge-Kutta methods through torchdiffeq."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import AdaptiveOdeSolver, Problem, Time, require
from bench_plugins.odes.papers import (
    BOGACKI1989PAIR,
    CHEN2018NEURAL,
    DORMAND1980FAMILY,
    PRINCE1981HIGH,
)


@dataclass(frozen=True)
class _TorchDiffEq(AdaptiveOdeSolver):
    """torchdiffeq on the probability-flow ODE in t.

    The error norm is the largest of the samples' own root mean squares (torchdiffeq's default
    averages over the batch), so that each sample meets the tolerance by itself. The step size is
    still one for all: the host runs such a solver in batches of one shard and records it. The
    time of the ODE is kept in float64.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: the same as ``rtol``.
    """

    batch_coupled: ClassVar[bool] = True

    rtol: float = 1e-5
    atol: float | None = None

    def __post_init__(self) -> None:
        require(self.rtol > 0, "rtol must be > 0")
        require(self.atol is None or self.atol > 0, "atol must be > 0")

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        from torchdiffeq import odeint  # half a second of imports that only these solvers need

        first, last = sorted((times[0].t, times[-1].t))

        def velocity(t: Tensor, y: Tensor) -> Tensor:
            # torchdiffeq tries its first step without regard to the end: where x hardly moves
            # (VP, standardised data) it would ask far outside, where there is no process.
            return problem.velocity(y, problem.at(min(max(float(t), first), last)))

        ends = torch.tensor([times[0].t, times[-1].t], dtype=torch.float64, device=x.device)
        atol = self.rtol if self.atol is None else self.atol
        options = {
            # Land on the last time: torchdiffeq else steps past it, where VP has no sigma, and
            # interpolates.
            "step_t": ends[1:],
            "norm": _largest_rms,
            # Hairer, Norsett and Wanner 1993 advise to let a step grow by 5 at most. With
            # torchdiffeq's 10, round-off in float32 has a say in the second step.
            "ifactor": 5.0,
        }
        path: Tensor = odeint(
            velocity, x, ends, rtol=self.rtol, atol=atol, method=self.name, options=options
        )
        return path[-1]


def _largest_rms(x: Tensor) -> Tensor:
    """The largest root mean square over the entries of a sample."""
    return x.flatten(1).square().mean(1).amax().sqrt()


@dataclass(frozen=True)
class Dopri5(_TorchDiffEq):
    """Dormand-Prince 5(4), torchdiffeq's default; scipy's RK45 (``rk45``) is the same pair."""

    name: ClassVar[str] = "dopri5"
    reference: ClassVar[str] = "Dormand and Prince 1980; Chen et al. 2018, arXiv:1806.07366"
    bibtex: ClassVar[str] = CHEN2018NEURAL + DORMAND1980FAMILY
    order: ClassVar[int] = 5


@dataclass(frozen=True)
class Bosh3(_TorchDiffEq):
    """Bogacki-Shampine 3(2)."""

    name: ClassVar[str] = "bosh3"
    reference: ClassVar[str] = "Bogacki and Shampine 1989; Chen et al. 2018, arXiv:1806.07366"
    bibtex: ClassVar[str] = CHEN2018NEURAL + BOGACKI1989PAIR
    order: ClassVar[int] = 3


@dataclass(frozen=True)
class Dopri8(_TorchDiffEq):
    """Dormand-Prince 8(5,3)."""

    name: ClassVar[str] = "dopri8"
    reference: ClassVar[str] = "Prince and Dormand 1981; Chen et al. 2018, arXiv:1806.07366"
    bibtex: ClassVar[str] = CHEN2018NEURAL + PRINCE1981HIGH
    order: ClassVar[int] = 8
