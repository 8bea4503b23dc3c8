"""MCG: the gradient of DPS, and replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guided, Time
from bench_plugins.inverse.dps import Dps
from bench_plugins.inverse.gradient import LastGradient, descend, evaluate
from bench_plugins.inverse.observed import Seen, fill_observed, replace_observed
from bench_plugins.inverse.papers import CHUNG2022MCG


@dataclass(frozen=True)
class Mcg(Dps):
    """After each step: down the misfit of D, then the observed part is drawn from q(x_t | y).

    The gradient is that of ``dps`` (W = I, step zeta / ||y - A D||), and says there how solvers of
    several stages and correctors go. It moves what is not observed alone, as the rest is
    replaced. The observation's noise counts as part of x_t's and stays in the samples.

    Attributes:
        zeta: the length of the step; alpha = zeta / ||y - A D|| in the paper's terms.
    """

    name: ClassVar[str] = "mcg"
    reference: ClassVar[str] = "Chung et al. 2022, arXiv:2206.00941 (manifold constrained gradient)"
    bibtex: ClassVar[str] = CHUNG2022MCG
    stochastic: ClassVar[bool] = True

    def start(self, given: Given) -> LastGradient:
        Seen.of(given.observation)
        return LastGradient()

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: LastGradient) -> Guided:
        d = evaluate(given, y, s, memory)
        return Guided(fill_observed(given.observation, d), d)

    def settle(self, given: Given, x: Tensor, now: Time, memory: LastGradient) -> Tensor:
        x = descend(x, now, memory, self.zeta)
        return replace_observed(given.observation, x, now, given.noise.normal())
