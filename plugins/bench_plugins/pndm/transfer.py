"""The transfer and the fixed Adams weights of all pseudo numerical methods."""

from __future__ import annotations

from torch import Tensor

from bench.api import Past, Time, combine, weighted_terms

# Adams-Bashforth weights on equal steps for 1, 2, 3 and 4 evaluations, the newest first.
ADAMS_BASHFORTH: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


def transfer(x: Tensor, now: Time, then: Time, *parts: tuple[float, Tensor]) -> Tensor:
    """DDIM's step from ``now`` to ``then`` along eps' = sum of weight * eps over ``parts``.

    x_then / alpha_then = x / alpha_now + (s_then - s_now) eps'.
    """
    gain = then.alpha * (then.s - now.s)
    return combine((then.alpha / now.alpha, x), *((gain * weight, eps) for weight, eps in parts))


def adams_bashforth(x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
    """The transfer along the fixed Adams-Bashforth combination of all ``past`` evaluations."""
    return transfer(x, now, then, *weighted_terms(ADAMS_BASHFORTH[len(past) - 1], past))
