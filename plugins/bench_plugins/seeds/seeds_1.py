"""SEEDS-1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine
from bench_plugins.seeds.papers import GONZALEZ2023SEEDS
from bench_plugins.seeds.stage import Seeds


@dataclass(frozen=True)
class Seeds1(Seeds):
    """SEEDS-1 with D predicted, the exponential Euler method; weak order 1, one evaluation a step.

    At eta = 1 it is ancestral sampling, at eta = 0 DDIM.

    Attributes:
        eta: strength of the noise, >= 0; 1 is the reverse SDE, 0 the ODE.
        s_noise: factor of the noise.
    """

    name: ClassVar[str] = "seeds_1"
    reference: ClassVar[str] = "Gonzalez et al. 2023, arXiv:2305.14267, SEEDS-1"
    bibtex: ClassVar[str] = GONZALEZ2023SEEDS
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        gain, _ = self._weights(now, then)
        terms = (self._decay(now, then), x), (gain, problem.denoise(x, now))
        return combine(*terms, (self._fresh(now, then), problem.normal())), None
