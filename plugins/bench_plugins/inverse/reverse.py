"""The reverse transitions q(x_then | x_now, x_0 = D)."""

from __future__ import annotations

import math

from torch import Tensor

from bench.api import Time, combine


def ancestral_step(x: Tensor, d: Tensor, noise: Tensor, now: Time, then: Time) -> Tensor:
    """A draw from q(x_then | x, x_0 = d) (Ho et al. 2020, arXiv:2006.11239, Eq. 7).

    Args:
        x: the state at ``now``, (n, *shape).
        d: what stands for x_0, (n, *shape).
        noise: standard normal, (n, *shape).
        now, then: the step.
    """
    ratio = (then.s / now.s) ** 2
    keep, std = ratio * then.alpha / now.alpha, then.sigma * math.sqrt(fresh_share(now, then))
    return combine((keep, x), (then.alpha - keep * now.alpha, d), (std, noise))


def fresh_share(now: Time, then: Time) -> float:
    """1 - (s_then / s_now)^2: the share of the noise at ``then`` that a step draws anew."""
    return (now.s - then.s) * (now.s + then.s) / now.s**2
