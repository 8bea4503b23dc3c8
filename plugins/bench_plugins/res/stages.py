"""The exponential Runge-Kutta formulas of RES, in y = x / alpha and lambda."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, expm1

from torch import Tensor

from bench.api import Problem, Time, combine

Terms = list[tuple[float, Tensor]]


def two_stages(problem: Problem, x: Tensor, now: Time, end: float, c2: float) -> Terms:
    """y at lambda ``end`` as terms: two evaluations, the second at the share ``c2`` of the way.

    b_2 = phi_2(-h) / c2 and b_1 = phi_1(-h) - b_2.
    """
    h = end - now.lam
    d = problem.denoise(x, now)
    d_2 = _evaluate(problem, x, now, c2 * h, [(_value(c2 * h), d)])
    b_2 = _line(h) / c2
    return [(exp(-h) / now.alpha, x), (_value(h) - b_2, d), (b_2, d_2)]


def three_stages(problem: Problem, x: Tensor, now: Time, end: float, c2: float, c3: float) -> Terms:
    """y at lambda ``end`` as terms: three evaluations, at shares 0, ``c2`` and ``c3`` of the way.

    a_32 = gamma c2 phi_2(-c2 h) + c3^2 / c2 phi_2(-c3 h), b_3 = phi_2(-h) / (gamma c2 + c3),
    b_2 = gamma b_3; first columns make the rows those of phi_1.
    """
    h, gamma = end - now.lam, gamma_of(c2, c3)
    d = problem.denoise(x, now)
    d_2 = _evaluate(problem, x, now, c2 * h, [(_value(c2 * h), d)])
    a = gamma * _line(c2 * h) + c3 / c2 * _line(c3 * h)
    d_3 = _evaluate(problem, x, now, c3 * h, [(_value(c3 * h) - a, d), (a, d_2)])
    b_3 = _line(h) / (gamma * c2 + c3)
    b_2 = gamma * b_3
    first = _value(h) - b_2 - b_3
    return [(exp(-h) / now.alpha, x), (first, d), (b_2, d_2), (b_3, d_3)]


def gamma_of(c2: float, c3: float) -> float:
    """gamma that solves 2 (gamma c2 + c3) = 3 (gamma c2^2 + c3^2)."""
    return (3 * c3 - 2) * c3 / (c2 * (2 - 3 * c2))


def at_alpha(alpha: float, terms: Terms) -> Terms:
    """The terms of x = alpha y."""
    return [(alpha * weight, tensor) for weight, tensor in terms]


def _evaluate(
    problem: Problem, x: Tensor, now: Time, ahead: float, added: Sequence[tuple[float, Tensor]]
) -> Tensor:
    """D of the stage that lies ``ahead`` of ``now`` in lambda."""
    stage = problem.at_lam(now.lam + ahead)
    terms = [(exp(-ahead) / now.alpha, x), *added]
    return problem.denoise(combine(*at_alpha(stage.alpha, terms)), stage)


def _value(h: float) -> float:
    """h phi_1(-h), the integral of e^(v - h) over 0 <= v <= h."""
    return -expm1(-h)


def _line(h: float) -> float:
    """h phi_2(-h), the integral of e^(v - h) v / h."""
    return 1 + expm1(-h) / h
