"""The observed coefficients of a state, at any noise level."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bench.api import LinearOperator, Observation, Time


class Seen(NamedTuple):
    """A linear observation as noisy coefficients c + level n, with c = V^T x_0.

    Attributes:
        operator: A = U diag(values) V^T.
        known: y / values, (n, m).
        level: noise / values, (m,): the noise-to-signal ratio at which a sample's own coefficient
            is as noisy as the observed one.
    """

    operator: LinearOperator
    known: Tensor
    level: Tensor

    @staticmethod
    def of(observation: Observation) -> Seen:
        """Those of ``observation``.

        Raises:
            UnsupportedError: its operator is not linear.
        """
        a = observation.linear
        return Seen(a, observation.value / a.values, observation.noise / a.values)

    def put(self, y: Tensor, coefficients: Tensor) -> Tensor:
        """``y`` (n, *shape) with these observed coefficients, (n, m)."""
        return y + self.operator.image(coefficients - self.operator.coefficients(y))

    def square_gap(self, s: float | Tensor) -> Tensor:
        """s^2 - level^2, (m,), without cancellation."""
        return (s - self.level) * (s + self.level)


def replace_observed(
    observation: Observation, x: Tensor, now: Time, noise: Tensor, release: bool = False
) -> Tensor:
    """``x`` at ``now`` with its observed coefficients drawn from q(x_t | y).

    They are alpha (y / v + (s^2 - (noise / v)^2)^1/2 z) with v the singular values: the
    observation's own noise counts, so that they have the noise of level s and no more. Where it
    alone is more than that they are alpha y / v.

    Args:
        observation: linear.
        x: (n, *shape).
        now: the time of x.
        noise: standard normal, (n, *shape).
        release: leave a coefficient as it is where the observation is noisier than level s.
    """
    seen = Seen.of(observation)
    own, room = seen.operator.coefficients(x), seen.square_gap(now.s)
    fresh = seen.known + room.clamp_min(0).sqrt() * seen.operator.coefficients(noise)
    fresh = now.alpha * fresh
    return seen.put(x, torch.where(room >= 0, fresh, own) if release else fresh)


def fill_observed(observation: Observation, d: Tensor) -> Tensor:
    """D with the observation in it, where that has no noise; else D as it is."""
    if observation.noise > 0:
        return d
    return d + observation.linear.pinv(observation.residual(d))
