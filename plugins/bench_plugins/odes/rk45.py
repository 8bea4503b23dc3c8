"""Song et al.'s probability-flow sampler: scipy's RK45."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.api import AdaptiveOdeSolver, BenchError, Problem, Time, paper, require
from bench_plugins.odes.papers import DORMAND1980FAMILY


@dataclass(frozen=True)
class RK45(AdaptiveOdeSolver):
    """scipy's Dormand-Prince 5(4) in t, as in score_sde; order 5, counted evaluations.

    The samples of a shard are one long vector with one root-mean-square error norm and one step
    size, as in the authors' code: single samples may miss the tolerance. The vector is float64 on
    the CPU, the model sees the dtype and the device of ``x``.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: the same as ``rtol``.
    """

    name: ClassVar[str] = "rk45"
    reference: ClassVar[str] = (
        "Song et al. 2021, arXiv:2011.13456, Appendix D.4; Dormand and Prince 1980"
    )
    bibtex: ClassVar[str] = paper("song2021score") + DORMAND1980FAMILY
    order: ClassVar[int] = 5
    batch_coupled: ClassVar[bool] = True

    rtol: float = 1e-5
    atol: float | None = None

    def __post_init__(self) -> None:
        require(self.rtol > 0, "rtol must be > 0")
        require(self.atol is None or self.atol > 0, "atol must be > 0")

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        from scipy import integrate  # slow to import, and only this solver needs it

        start, end = times[0].t, times[-1].t
        first, last = min(start, end), max(start, end)

        def velocity(t: float, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            y = torch.from_numpy(flat).reshape(x.shape).to(x)
            # Round-off must not lead outside, where there may be no process.
            slope = problem.velocity(y, problem.at(min(max(float(t), first), last)))
            return _flat(slope)

        atol = self.rtol if self.atol is None else self.atol
        solver = integrate.RK45(velocity, start, _flat(x), end, rtol=self.rtol, atol=atol)
        while solver.status == "running":
            message = solver.step()
        if solver.status == "failed":
            raise BenchError(
                f"rk45 stopped at t = {solver.t:g}: {message} The model's output is not finite, "
                f"or rtol = {self.rtol:g} is out of reach."
            )
        return torch.from_numpy(solver.y).reshape(x.shape).to(x)


def _flat(x: Tensor) -> npt.NDArray[np.float64]:
    flat: npt.NDArray[np.float64] = x.detach().cpu().double().numpy().ravel()
    return flat
