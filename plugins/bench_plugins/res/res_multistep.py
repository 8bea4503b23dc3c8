"""RES, multistep."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import ClassVar

from torch import Tensor

from bench.api import (
    Exponential,
    HighestOrder,
    MultistepOdeSolver,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    weighted_terms,
)
from bench_plugins.res.papers import ZHANG2023IMPROVED


@dataclass(frozen=True)
class ResMultistep(HighestOrder, MultistepOdeSolver):
    """RES, multistep: the polynomial in lambda through the last values of D, integrated exactly.

    The exponential Adams-Bashforth method in lambda; one evaluation per step. DPM-Solver++(2M) is
    its "midpoint" relative. With two values it is ``dpmpp_2m_sde`` with ``heun`` and eta = 0, with
    any number the predictor of ``sa_solver`` at tau = 0: use these for the reverse SDE. The first
    step is DDIM, so that the order tends to 2 whatever ``highest`` is.

    Attributes:
        highest: the most values of D that a step combines, 1 (DDIM) to 3.
        lower_order_final: combine no more values than steps are left.
    """

    name: ClassVar[str] = "res_multistep"
    reference: ClassVar[str] = (
        "Zhang, Song and Chen 2023, arXiv:2308.02157, multistep; ComfyUI, sample_res_multistep"
    )
    bibtex: ClassVar[str] = ZHANG2023IMPROVED

    most: ClassVar[int] = 3
    highest: int = 2
    lower_order_final: bool = False

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        h = then.lam - now.lam
        nodes = tuple(e.time.lam - now.lam for e in past)
        weights = adams_weights(nodes, 0.0, h, Exponential(1.0, h))
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((exp(-h) * then.alpha / now.alpha, x), *terms)
