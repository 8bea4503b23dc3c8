"""EDM's stochastic sampler."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, karras_heun, paper, require


@dataclass(frozen=True)
class Churn:
    """The raise of s, the same in all steps of a grid, and the level where it ends."""

    gamma: float
    s_first: float


@dataclass(frozen=True)
class EdmChurn(Predictor[Churn]):
    """Noise is added up to s_hat = (1 + gamma) s, then Heun's step of ``edm_heun`` from there.

    Two evaluations per step. gamma = min(churn / N, 2^1/2 - 1) for s in [s_tmin, s_tmax], else 0;
    N is the paper's number of steps, one more than here since its last one is the core's final
    denoise. In normalised coordinates y = x / alpha, so that it is the same under every process.
    s_hat stays below the first level of the grid: the model may know no more noise.

    With ``noise`` = 1 both halves of a step carry marginals to marginals, so that the weak order
    tends to Heun's 2 as the raise shrinks with 1 / N. Up to N = churn / (2^1/2 - 1), 97 by default,
    it does not shrink, and more steps help less: claimed is order 1, which holds from the start.
    Any other ``noise`` leaves an error that no number of steps removes: order 0.

    Attributes:
        churn: S_churn, the noise that is added over all steps; ImageNet-64 has 40, CIFAR-10 30
            (VP) and 80 (VE).
        s_tmin, s_tmax: S_tmin and S_tmax, between which noise is added; as for ImageNet-64.
        noise: S_noise, a factor of the added noise; ImageNet-64 has 1.003, to make up for detail
            that denoisers lose.
    """

    name: ClassVar[str] = "edm_churn"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Algorithm 2 and Table 5"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    churn: float = 40.0
    s_tmin: float = 0.05
    s_tmax: float = 50.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        require(self.churn >= 0, "churn must be >= 0")
        require(0 <= self.s_tmin <= self.s_tmax, "0 <= s_tmin <= s_tmax must hold")
        require(self.noise >= 0, "noise must be >= 0")

    @property
    def order(self) -> int:
        return 1 if self.noise == 1 else 0

    def cost(self, steps: int) -> int:
        return 2 * steps

    def start(self, times: Sequence[Time]) -> Churn:
        return Churn(min(self.churn / len(times), math.sqrt(2) - 1), times[0].s)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Churn
    ) -> tuple[Tensor, Churn]:
        gamma = state.gamma if self.s_tmin <= now.s <= self.s_tmax else 0.0
        s_hat, z = min((1 + gamma) * now.s, state.s_first), problem.normal()
        if s_hat > now.s:
            std = self.noise * math.sqrt((s_hat - now.s) * (s_hat + now.s))
            hat = problem.at_lam(-math.log(s_hat))
            x, now = combine((hat.alpha / now.alpha, x), (hat.alpha * std, z)), hat
        return karras_heun(problem, x, now, then), state
