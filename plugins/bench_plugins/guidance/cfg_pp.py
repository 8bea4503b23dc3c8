"""CFG++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Passes, require
from bench_plugins.guidance.classes import check_classes
from bench_plugins.guidance.papers import CHUNG2025
from bench_plugins.guidance.scale import blend


@dataclass(frozen=True)
class CfgPlusPlus(Guidance[None]):
    """D + w (D_c - D), while the noise that stays in x is that of D; two evaluations a call.

    For solvers that take a step as D and noise (`ddim`, `ddim_eta`, `ancestral`, `euler_a`): under
    DDIM x' = alpha' D_guided + sigma' eps of the model without class. w interpolates and does not
    extrapolate; one evaluation at w = 0, the model without class.

    Attributes:
        scale: w, from 0 to 1; lambda in the paper.
    """

    name: ClassVar[str] = "cfg_pp"
    reference: ClassVar[str] = "Chung et al. 2025, arXiv:2406.08070 (CFG++ in DDIM's step)"
    bibtex: ClassVar[str] = CHUNG2025
    splits: ClassVar[bool] = True

    scale: float = 0.6

    def __post_init__(self) -> None:
        require(0 <= self.scale <= 1, "scale must lie in [0, 1]")

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.scale == 0.0 else 2)

    def start(self, given: Given) -> None:
        if self.scale:
            check_classes(given)

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        plain = given.plain(y, s)
        if self.scale == 0.0:
            return Guided(plain, plain)
        return Guided(blend(plain, given.conditional(y, s), self.scale), plain)
