"""DiffPIR: a proximal step on D, and the steps with noise that go with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Predictor, Problem, Time, combine, require
from bench_plugins.inverse.papers import ZHU2023DIFFPIR


@dataclass(frozen=True)
class DiffPir(Guidance[None]):
    """argmin_x ||y - A x||^2 + rho ||x - D||^2 with rho = lam noise^2 / s^2, for linear A.

    At lam = 1 it is E[x_0 | D, y] if x_0 were N(D, s^2 I); without noise it is D + A^+ (y - A D).
    The paper's sampler is this with ``ddim_zeta`` (its Algorithm 1); any other solver goes, too.
    For operators that are not linear the paper takes gradient steps, which are not here.

    Attributes:
        lam: lambda, the weight of D against the observation. The authors' code has the noise in
            images of [0, 1] and s in images of [-1, 1]: its lambda is 4 lam.
    """

    name: ClassVar[str] = "diffpir"
    reference: ClassVar[str] = "Zhu et al. 2023, arXiv:2305.08995, Eq. 12b and Algorithm 1"
    bibtex: ClassVar[str] = ZHU2023DIFFPIR
    observes: ClassVar[bool] = True

    lam: float = 1.0

    def __post_init__(self) -> None:
        require(0 < self.lam < math.inf, "lam must be finite and > 0")

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        d = given.usual(y, s)
        return Guided(given.observation.nearest(d, s.square() / self.lam), d)


@dataclass(frozen=True)
class DdimZeta(Predictor[None]):
    """alpha_then D + sigma_then ((1 - zeta)^1/2 eps + zeta^1/2 z): DiffPIR's step.

    zeta is a share of the noise at every step, whatever its length (``ddim_eta`` draws less where
    steps are small): more steps do not lead to the model's distribution, and the order is 0. At
    zeta = 0 it is ``ddim``. One evaluation a step.

    Attributes:
        zeta: share of the noise that is drawn anew, in [0, 1].
    """

    name: ClassVar[str] = "ddim_zeta"
    reference: ClassVar[str] = "Zhu et al. 2023, arXiv:2305.08995, Algorithm 1"
    bibtex: ClassVar[str] = ZHU2023DIFFPIR

    zeta: float = 0.5

    def __post_init__(self) -> None:
        require(0 <= self.zeta <= 1, "zeta must lie in [0, 1]")

    @property
    def order(self) -> int:
        return 0 if self.zeta > 0 else 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        d, keep = problem.denoise(x, now), then.sigma / now.sigma * math.sqrt(1 - self.zeta)
        fresh = then.sigma * math.sqrt(self.zeta)
        return combine(
            (keep, x), (then.alpha - keep * now.alpha, d), (fresh, problem.normal())
        ), None
