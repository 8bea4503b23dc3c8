"""EDM's deterministic sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, karras_heun
from bench_plugins.edm.papers import KARRAS2022ELUCIDATING


@dataclass(frozen=True)
class EdmHeun(OdeSolver[None]):
    """Heun's method on dy/ds = (y - D) / s; order 2, two evaluations per step.

    The paper's last step, Euler to sigma = 0, is the core's final denoise: 2 N - 1 evaluations in
    all. (`bench.api.karras_heun` has the formula.)
    """

    name: ClassVar[str] = "edm_heun"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Algorithm 1"
    bibtex: ClassVar[str] = KARRAS2022ELUCIDATING
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        return karras_heun(problem, x, now, then), None
