"""SEEDS-2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine
from bench_plugins.seeds.papers import GONZALEZ2023SEEDS
from bench_plugins.seeds.stage import Seeds


@dataclass(frozen=True)
class Seeds2(Seeds):
    """SEEDS-2 with D predicted: D of the middle in lambda, held over the whole step.

    Weak order 2; two evaluations and draws per step. At eta = 1 it is DPM-Solver++ SDE.

    Attributes:
        eta: strength of the noise, >= 0; 1 is the reverse SDE, 0 the ODE.
        s_noise: factor of the noise.
    """

    name: ClassVar[str] = "seeds_2"
    reference: ClassVar[str] = "Gonzalez et al. 2023, arXiv:2305.14267, SEEDS-2"
    bibtex: ClassVar[str] = GONZALEZ2023SEEDS
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        mid = problem.at_lam(0.5 * (now.lam + then.lam))
        z, fresh = problem.normal(), self._fresh(now, mid)
        gain, _ = self._weights(now, mid)
        terms = (self._decay(now, mid), x), (gain, problem.denoise(x, now))
        d_mid = problem.denoise(combine(*terms, (fresh, z)), mid)

        gain, _ = self._weights(now, then)
        return combine(
            (self._decay(now, then), x),
            (gain, d_mid),
            (self._decay(mid, then) * fresh, z),
            (self._fresh(mid, then), problem.normal()),
        ), None
