"""The predictors of Song et al. 2021 (arXiv:2011.13456), for every Gaussian process."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Predictor, Problem, Time, combine, paper


@dataclass(frozen=True)
class EulerMaruyama(Predictor[None]):
    """Euler-Maruyama on the reverse SDE dx = (f x - g^2 score) dt + g dw; weak order 1.

    Every step adds its noise; what is left at s_min is removed by the core's final denoise, where
    the authors' code returns the mean of the last step.
    """

    name: ClassVar[str] = "euler_maruyama"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 6 and Appendix D"
    bibtex: ClassVar[str] = paper("song2021score")
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        dt = then.t - now.t
        d = problem.denoise(x, now)
        pull = now.g2 / now.sigma**2  # the score is (alpha D - x) / sigma^2
        mean_x, mean_d = 1 + dt * (now.f + pull), -dt * pull * now.alpha
        return combine((mean_x, x), (mean_d, d), (math.sqrt(-dt * now.g2), problem.normal())), None


@dataclass(frozen=True)
class ReverseDiffusion(Predictor[None]):
    """The reverse of the discretised forward chain; weak order 1.

    The forward chain's step is the process's exact transition x_now = a x_then + G z with
    a = alpha_now / alpha_then and G^2 = sigma_now^2 - a^2 sigma_then^2, so that
    x_then = (2 - a) x + G^2 score + G z: Eq. 46, the authors' VE and VP chains included.
    """

    name: ClassVar[str] = "reverse_diffusion"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456, Eq. 46"
    bibtex: ClassVar[str] = paper("song2021score")
    order: ClassVar[int] = 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        a, g2 = _transition(now, then)
        d = problem.denoise(x, now)
        pull = g2 / now.sigma**2
        terms = (2 - a - pull, x), (pull * now.alpha, d), (math.sqrt(g2), problem.normal())
        return combine(*terms), None


@dataclass(frozen=True)
class Ancestral(Predictor[None]):
    """Ancestral sampling: the exact posterior q(x_then | x_now, x_0 = D); weak order 1.

    For VP it is DDPM's sampler with the posterior variance ("fixed small"), for VE SMLD's.

    Attributes:
        forward_variance: use the variance of the forward step instead of the posterior's (DDPM's
            "fixed large", and the VP sampler of the authors' code).
    """

    name: ClassVar[str] = "ancestral"
    reference: ClassVar[str] = (
        "Ho et al. 2020, arXiv:2006.11239, Eq. 7; Song et al. 2021, arXiv:2011.13456, Appendix F"
    )
    bibtex: ClassVar[str] = paper("ho2020denoising") + paper("song2021score")
    order: ClassVar[int] = 1
    renoises: ClassVar[bool] = True

    forward_variance: bool = False

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        a, g2 = _transition(now, then)
        d, free = problem.split(x, now)
        if d is not free:  # the noise in x is that of the unguided D
            x = combine((1.0, x), (now.alpha, d), (-now.alpha, free))
        ratio = then.sigma**2 / now.sigma**2
        std = math.sqrt(g2 if self.forward_variance else g2 * ratio)
        terms = (a * ratio, x), (then.alpha * g2 / now.sigma**2, d), (std, problem.normal())
        return combine(*terms), None


def _transition(now: Time, then: Time) -> tuple[float, float]:
    """Scale and variance of the forward transition from ``then`` to ``now``.

    The variance sigma_now^2 - a^2 sigma_then^2 is written as a difference of s, which is exact
    where steps are small: alpha_now^2 (s_now - s_then) (s_now + s_then).
    """
    variance = now.alpha**2 * (now.s - then.s) * (now.s + then.s)
    return now.alpha / then.alpha, variance
