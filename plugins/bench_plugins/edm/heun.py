"""EDM's deterministic sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, karras_heun, paper


@dataclass(frozen=True)
class EdmHeun(OdeSolver[None]):
    """Heun's method on dy/ds = (y - D) / s; order 2, two evaluations per step.

    The Euler half-step y' = r y + (1 - r) D (r = s_then / s_now) gives D' = D(y'; s_then); the
    average of both slopes is y_then = r y + (1 - r) ((1 - c) D + c D') with c = 1 / (2 r). The
    paper's last step, Euler to sigma = 0, is the core's final denoise: 2 N - 1 evaluations in all.
    """

    name: ClassVar[str] = "edm_heun"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Algorithm 1"
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    order: ClassVar[int] = 2

    def cost(self, steps: int) -> int:
        return 2 * steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        return karras_heun(problem, x, now, then), None
