"""SEEDS-3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine
from bench_plugins.seeds.papers import GONZALEZ2023SEEDS
from bench_plugins.seeds.stage import Seeds


@dataclass(frozen=True)
class Seeds3(Seeds):
    """SEEDS-3 with D predicted: DPM-Solver++(3S)'s stages at thirds in lambda, with noise.

    Three evaluations and draws per step. Order 3 at eta = 0; weak order 2 with noise, where the
    third order would need the variance of the path's time integral, h^3 / 3: two values of the
    path, weighted 1/4 and 3/4, give 3/8.

    Attributes:
        eta: strength of the noise, >= 0; 1 is the reverse SDE, 0 the ODE.
        s_noise: factor of the noise.
    """

    name: ClassVar[str] = "seeds_3"
    reference: ClassVar[str] = "Gonzalez et al. 2023, arXiv:2305.14267, SEEDS-3"
    bibtex: ClassVar[str] = GONZALEZ2023SEEDS
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 3 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        h = then.lam - now.lam
        one, two = problem.at_lam(now.lam + h / 3), problem.at_lam(now.lam + 2 * h / 3)
        d, z_1 = problem.denoise(x, now), problem.normal()
        gain, _ = self._weights(now, one)
        fresh_1 = self._fresh(now, one)
        x_1 = combine((self._decay(now, one), x), (gain, d), (fresh_1, z_1))
        d_1, z_2 = problem.denoise(x_1, one), problem.normal()

        gain, line = self._weights(now, two)
        line *= 2  # u = 1/2 at the first stage
        fresh_1, fresh_2 = self._decay(one, two) * fresh_1, self._fresh(one, two)
        terms = (self._decay(now, two), x), (gain - line, d), (line, d_1)
        d_2 = problem.denoise(combine(*terms, (fresh_1, z_1), (fresh_2, z_2)), two)

        gain, line = self._weights(now, then)
        line *= 1.5  # u = 2/3 at the second stage
        left = self._decay(two, then)
        return combine(
            (self._decay(now, then), x),
            (gain - line, d),
            (line, d_2),
            (left * fresh_1, z_1),
            (left * fresh_2, z_2),
            (self._fresh(two, then), problem.normal()),
        ), None
