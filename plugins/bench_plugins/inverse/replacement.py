"""Replacement: the observed part of the state is the observation, with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Time, paper
from bench_plugins.inverse.observed import Seen, fill_observed, replace_observed


@dataclass(frozen=True)
class Replacement(Guidance[Tensor | None]):
    """Before each step and corrector the observed coefficients of x_t are drawn from q(x_t | y).

    The rest moves by the model's score. It never learns that the observation will come: at high
    noise it goes where the prior goes, and that is not corrected later. With a corrector
    (``langevin``) it is the paper's sampler, and its bias is smaller. Here A is any linear
    operator, in its singular basis; where the observation is noisier than x_t a coefficient is left
    to the model, which removes that noise (the paper has none). Without noise the observed part of
    D is the observation, so that the last denoise returns it.

    Attributes:
        fresh: draw the noise anew each time, as in the paper; else one draw is kept, so that the
            observed part goes along a path of the probability-flow ODE.
    """

    name: ClassVar[str] = "replacement"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Appendix I.2"
    bibtex: ClassVar[str] = paper("song2021score")
    observes: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True

    fresh: bool = True

    def start(self, given: Given) -> Tensor | None:
        Seen.of(given.observation)
        return None if self.fresh else given.noise.normal()

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: Tensor | None) -> Guided:
        d = given.usual(y, s)
        return Guided(fill_observed(given.observation, d), d)

    def settle(self, given: Given, x: Tensor, now: Time, memory: Tensor | None) -> Tensor:
        noise = given.noise.normal() if memory is None else memory
        return replace_observed(given.observation, x, now, noise, release=True)
