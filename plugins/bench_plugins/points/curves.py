"""Sets along curves: two moons, a Swiss roll, spirals and a pinwheel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import require
from bench_plugins.points.papers import FFJORD, SCIKIT_LEARN
from bench_plugins.points.point_set import NoisySet
from bench_plugins.points.ribbon import Arc, Ribbon

_SKLEARN = "scikit-learn, sklearn.datasets"


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


@dataclass(frozen=True)
class TwoMoons(NoisySet):
    """Two half circles of radius 1 that reach into each other, uniform in the angle.

    scikit-learn's ``make_moons``, with its centre (1/2, 1/4) at the origin.

    Attributes:
        noise: standard deviation of the Gaussian noise around them, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "two_moons"
    reference: ClassVar[str] = f"{_SKLEARN}.make_moons; Grathwohl et al. 2019, arXiv:1810.01367"
    bibtex: ClassVar[str] = SCIKIT_LEARN + FFJORD

    noise: float = 0.07

    def distribution(self) -> Ribbon:
        arcs = [Arc(partial(_moon, sign=sign), 0.0, math.pi) for sign in (1, -1)]
        return Ribbon.along(arcs, self.noise)


def _moon(t: Tensor, sign: int) -> Tensor:
    return torch.stack([sign * (t.cos() - 0.5), sign * (t.sin() - 0.25)], dim=1)


@dataclass(frozen=True)
class SwissRoll(NoisySet):
    """The plane's section of a Swiss roll: a spiral of radius 2, uniform in the angle.

    scikit-learn's ``make_swiss_roll`` without its second coordinate: t (cos t, sin t) for t from
    1.5 pi to 4.5 pi, divided by 2.25 pi.

    Attributes:
        noise: standard deviation of the Gaussian noise around it, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "swiss_roll"
    reference: ClassVar[str] = (
        f"{_SKLEARN}.make_swiss_roll; Grathwohl et al. 2019, arXiv:1810.01367"
    )
    bibtex: ClassVar[str] = SCIKIT_LEARN + FFJORD

    noise: float = 0.08

    def distribution(self) -> Ribbon:
        roll = Arc(lambda t: _polar(t / (2.25 * math.pi), t), 1.5 * math.pi, 4.5 * math.pi)
        return Ribbon.along([roll], self.noise)


@dataclass(frozen=True)
class TwoSpirals(NoisySet):
    """Two spirals of Archimedes of one and a half turns, of radius 2, denser outwards.

    ``2spirals`` of FFJORD: the angle is 3 pi u^(1/2) for u uniform.

    Attributes:
        noise: standard deviation of the Gaussian noise around them, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "two_spirals"

    noise: float = 0.07

    def distribution(self) -> Ribbon:
        end = 3 * math.pi
        arcs = [
            Arc(
                partial(_spiral, sign=sign),
                0.0,
                end,
                density=lambda t: 2 * t / end**2,
                quantile=lambda u: end * u.sqrt(),
            )
            for sign in (1, -1)
        ]
        return Ribbon.along(arcs, self.noise)


def _spiral(t: Tensor, sign: int) -> Tensor:
    return _polar(sign * 2 / (3 * math.pi) * t, t)


_CUT = 2.5
"""Standard deviations of the radius at which a pinwheel's arms end."""


@dataclass(frozen=True)
class Pinwheel(NoisySet):
    """Arms that are bent the more the farther out they reach.

    At radius r an arm stands at its angle plus ``rate`` e^r; r is normal with mean 1 and standard
    deviation 0.3, cut off at 2.5 of them. FFJORD's noise lies along the circles and is not cut.

    Attributes:
        arms: their number, 2 to 12.
        rate: how strongly they are bent, 0 to 1.
        noise: standard deviation of the Gaussian noise around them, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "pinwheel"

    arms: int = 5
    rate: float = 0.25
    noise: float = 0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        require(2 <= self.arms <= 12, "arms must lie in 2..12")
        require(0 <= self.rate <= 1, "rate must lie between 0 and 1")

    def distribution(self) -> Ribbon:
        spread = 0.3
        angles = [2 * math.pi * k / self.arms for k in range(self.arms)]
        arcs = [
            Arc(
                partial(_arm, angle=angle, rate=self.rate),
                1 - _CUT * spread,
                1 + _CUT * spread,
                density=partial(_radius_density, spread=spread),
                quantile=partial(_radius_quantile, spread=spread),
            )
            for angle in angles
        ]
        return Ribbon.along(arcs, self.noise)


def _arm(r: Tensor, angle: float, rate: float) -> Tensor:
    return _polar(r, angle + rate * r.exp())


def _radius_density(r: Tensor, spread: float) -> Tensor:
    mass = math.erf(_CUT / math.sqrt(2)) * spread * math.sqrt(2 * math.pi)
    return (((r - 1) / spread).square() * -0.5).exp() / mass


def _radius_quantile(u: Tensor, spread: float) -> Tensor:
    inside = math.erf(_CUT / math.sqrt(2))
    return 1 + spread * math.sqrt(2) * torch.erfinv((2 * u - 1) * inside)
