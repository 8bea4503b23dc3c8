"""A temperature of the score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, require, rows_of
from bench_plugins.guidance.papers import INGRAHAM2023


@dataclass(frozen=True)
class Temperature(Guidance[None]):
    """The score times r(s): D' = y + r (D - y), of the model's usual D; one evaluation a call.

    Without ``std``, r = 1 / tau at every noise level. That is the score of p_s^(1/tau), which is no
    diffused distribution: noise of s does not belong to p^(1/tau), so that the samples depend on
    s_max, and those of an ODE collapse for tau < 1 (a Gaussian of standard deviation c ends at
    about s_max (c / s_max)^(1/tau)). With ``std``, r = (std^2 + s^2) / (tau std^2 + s^2), with
    which a Gaussian of that standard deviation gets its variance times tau exactly. Modes keep
    their weights about, which those of p^(1/tau) do not.

    Attributes:
        tau: the temperature, > 0; below 1 samples come closer to the modes.
        std: standard deviation of the data, or of its modes; ``None``: r = 1 / tau.
    """

    name: ClassVar[str] = "temperature"
    reference: ClassVar[str] = (
        "Ingraham et al. 2023, doi:10.1038/s41586-023-06728-8 (low-temperature sampling)"
    )
    bibtex: ClassVar[str] = INGRAHAM2023

    tau: float = 0.9
    std: float | None = 0.5

    def __post_init__(self) -> None:
        require(0 < self.tau < math.inf, "tau must be > 0")
        require(self.std is None or 0 < self.std < math.inf, "std must be > 0")

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        d = given.usual(y, s)
        if self.tau == 1.0:
            return Guided(d, d)
        if self.std is None:
            return Guided(y.lerp(d, 1 / self.tau), d)
        own, noise = self.std**2, rows_of(s, y).square()
        return Guided(y + (own + noise) / (self.tau * own + noise) * (d - y), d)
