"""DDNM: the observed part of D is put right; and DDNM+, for observations with noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Given, Guidance, Guided, Predictor, Problem, Time
from bench_plugins.inverse.observed import Seen
from bench_plugins.inverse.papers import WANG2023DDNM
from bench_plugins.inverse.reverse import ancestral_step, fresh_share


@dataclass(frozen=True)
class Ddnm(Guidance[None]):
    """D + A^+ (y - A D): the observed part of D replaced by the observation, noise and all.

    Made for observations without noise, which it returns exactly; where there is noise, it stays in
    the samples: ``ddnm_plus`` is for these. The rest of D does not hear of the observation but
    through x_t.
    """

    name: ClassVar[str] = "ddnm"
    reference: ClassVar[str] = "Wang, Yu and Zhang 2023, arXiv:2212.00490, Eq. 13"
    bibtex: ClassVar[str] = WANG2023DDNM
    observes: ClassVar[bool] = True

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        seen, d = given.observation, given.usual(y, s)
        return Guided(d + seen.linear.pinv(seen.residual(d)), d)


@dataclass(frozen=True)
class DdnmPlus(Predictor[None]):
    """Ancestral steps with D + lambda A^+ (y - A D), and less noise where y brings its own.

    A step x_then = a D + b x + std z takes a noise / v with each observed coefficient. Where that
    is less than std, lambda is 1 and the rest of std^2 is drawn; else lambda = std v / (a noise)
    and nothing is drawn: the paper's Eq. 17 for each singular value v. The authors' code takes
    DDIM's steps with a share of fresh noise in place of ancestral ones. A solver of its own and no
    guidance, as it changes the noise; the paper's time travel is not in it. One evaluation a step.
    """

    name: ClassVar[str] = "ddnm_plus"
    reference: ClassVar[str] = "Wang, Yu and Zhang 2023, arXiv:2212.00490, Eq. 17 (DDNM+)"
    bibtex: ClassVar[str] = WANG2023DDNM
    order: ClassVar[int] = 1
    observes: ClassVar[bool] = True

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        seen = Seen.of(problem.observation)
        d, z = problem.denoise(x, now), problem.normal()
        fresh = fresh_share(now, then)  # a, in normalised coordinates
        std = then.s * math.sqrt(fresh)
        brought = fresh * seen.level
        weight = std / brought.clamp_min(std)
        own, noise = seen.operator.coefficients(d), seen.operator.coefficients(z)
        d = seen.put(d, torch.lerp(own, seen.known, weight))
        left = ((std - brought) * (std + brought)).clamp_min(0).sqrt() / std
        return ancestral_step(x, d, seen.put(z, left * noise), now, then), None
