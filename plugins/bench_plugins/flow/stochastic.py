"""diffusers' stochastic sampling of flow matching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine
from bench_plugins.flow.papers import ESSER2024SCALING


@dataclass(frozen=True)
class FlowStochastic(Predictor[None]):
    """x_then = alpha_then D + sigma_then z with fresh z: all noise is replaced in every step.

    Order 0: D has less variance than the data that it predicts, and what a step loses of it no
    number of steps brings back. Data of variance c^2 end as (c^2 + s^2)^2 / (2 c^2 + s^2) instead
    of c^2 + s^2 at noise level s, near zero noise at half of their variance. It suits models whose
    D is a sample (consistency, adversarial distillation), and is here since schedulers offer it for
    all. One evaluation per step.
    """

    name: ClassVar[str] = "flow_stochastic"
    reference: ClassVar[str] = (
        "diffusers, FlowMatchEulerDiscreteScheduler with stochastic_sampling; "
        "Esser et al. 2024, arXiv:2403.03206 (the process)"
    )
    bibtex: ClassVar[str] = ESSER2024SCALING
    order: ClassVar[int] = 0

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        d = problem.denoise(x, now)
        return combine((then.alpha, d), (then.sigma, problem.normal())), None
