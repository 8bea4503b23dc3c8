"""DDRM: a step for each singular value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, require
from bench_plugins.inverse.observed import Seen
from bench_plugins.inverse.papers import KAWAR2022DDRM


@dataclass(frozen=True)
class Ddrm(Predictor[bool]):
    """Steps in the singular basis, by the noise of each observed coefficient, level = noise / v.

    Not observed: D + s (eta z + (1 - eta^2)^1/2 eps). Where s_then < level: the same with the
    observation's own noise (y/v - D) / level for eps. Else: a mean of D and y/v with weight eta_b,
    and the noise that is missing to s_then. All in normalised coordinates, so that it is the same
    for every process; it starts from the paper's x_T, in which y is known (the authors' code puts
    1 / s_T there for alpha_T). One evaluation a step. eta is a share of the noise at every step,
    whatever its length: more steps give another sampler and no limit, order 0.

    Attributes:
        eta: share of fresh noise, in [0, 1].
        eta_b: weight of the observation where it has less noise than the state, in [0, 1].
    """

    name: ClassVar[str] = "ddrm"
    reference: ClassVar[str] = "Kawar et al. 2022, arXiv:2201.11793 (steps in the spectral space)"
    bibtex: ClassVar[str] = KAWAR2022DDRM
    order: ClassVar[int] = 0
    observes: ClassVar[bool] = True

    eta: float = 0.85
    eta_b: float = 1.0

    def __post_init__(self) -> None:
        require(0 <= self.eta <= 1, "eta must lie in [0, 1]")
        require(0 <= self.eta_b <= 1, "eta_b must lie in [0, 1]")

    def start(self, times: Sequence[Time]) -> bool:
        return True

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: bool
    ) -> tuple[Tensor, bool]:
        seen = Seen.of(problem.observation)
        if state:
            x = _begin(seen, x, now)
        d, z = problem.denoise(x, now), problem.normal()
        keep = then.s * math.sqrt(1 - self.eta**2)
        free = combine((keep / now.sigma, x), (1 - keep / now.s, d), (then.s * self.eta, z))
        y = seen.put(free, self._mix_observed(seen, d, z, then.s))
        return y * then.alpha, False

    def _mix_observed(self, seen: Seen, d: Tensor, z: Tensor, s: float) -> Tensor:
        """The observed coefficients after the step, (n, m)."""
        own, noise = seen.operator.coefficients(d), seen.operator.coefficients(z)
        level = seen.level.clamp_min(torch.finfo(d.dtype).tiny)
        eps = (seen.known - own) / level
        noisier = own + s * (math.sqrt(1 - self.eta**2) * eps + self.eta * noise)
        std = seen.square_gap(s).clamp_min(0).add((1 - self.eta_b**2) * seen.level**2).sqrt()
        clearer = own.lerp(seen.known, self.eta_b) + std * noise
        return torch.where(seen.level > s, noisier, clearer)


def _begin(seen: Seen, x: Tensor, now: Time) -> Tensor:
    """x_T given y, made of ``x`` ~ N(0, sigma_T^2 I)."""
    own, room = seen.operator.coefficients(x), seen.square_gap(now.s)
    drawn = now.alpha * seen.known + own * (room.clamp_min(0).sqrt() / now.s)
    return seen.put(x, torch.where(room >= 0, drawn, own))
