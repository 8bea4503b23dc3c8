"""SEEDS-2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Problem, Time, combine, require
from bench_plugins.seeds.papers import GONZALEZ2023SEEDS
from bench_plugins.seeds.stage import Seeds


@dataclass(frozen=True)
class Seeds2(Seeds):
    """SEEDS-2 with D predicted: by default D of the middle in lambda, held over the whole step.

    Weak order 2 with any ``r``, though slopes come to it from below: without ``phi_2``, 1.8 to 1.9
    at 500 steps and 1.95 at 1000 with r = 0.3. Two evaluations and draws per step. At eta = 1 it is
    DPM-Solver++ SDE. With ``r`` = 1 and ``phi_2`` it is the exponential Heun method (ComfyUI's
    exp_heun_2_x0_sde, and exp_heun_2_x0 at eta = 0); with ``phi_2`` alone and eta = 0 it is
    ``res_2s``.

    Attributes:
        eta: strength of the noise, >= 0; 1 is the reverse SDE, 0 the ODE.
        s_noise: factor of the noise.
        r: where the second evaluation lies, as a share of the step in lambda.
        phi_2: integrate the line through both values of D exactly: weight phi_2 / r of the second
            value instead of phi_1 / (2 r).
    """

    name: ClassVar[str] = "seeds_2"
    reference: ClassVar[str] = "Gonzalez et al. 2023, arXiv:2305.14267, SEEDS-2"
    bibtex: ClassVar[str] = GONZALEZ2023SEEDS
    order: ClassVar[int] = 2

    r: float = 0.5
    phi_2: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.r <= 1, "r must lie in (0, 1]")

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        lam = (1 - self.r) * now.lam + self.r * then.lam
        mid = then if self.r == 1 else problem.at_lam(lam)
        d, z, fresh = problem.denoise(x, now), problem.normal(), self._fresh(now, mid)
        gain, _ = self._weights(now, mid)
        d_mid = problem.denoise(combine((self._decay(now, mid), x), (gain, d), (fresh, z)), mid)

        gain, line = self._weights(now, then)
        second = line / self.r if self.phi_2 else gain / (2 * self.r)
        first = [] if second == gain else [(gain - second, d)]
        return combine(
            (self._decay(now, then), x),
            *first,
            (second, d_mid),
            (self._decay(mid, then) * fresh, z),
            (self._fresh(mid, then), problem.normal()),
        ), None
