"""Weights of Adams methods: integrals of Lagrange polynomials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def adams_weights(
    nodes: tuple[float, ...],
    start: float,
    end: float,
    density: Callable[[Array], Array] | None = None,
) -> tuple[float, ...]:
    """The integrals from ``start`` to ``end`` of density(v) l_j(v) dv, one for each node.

    l_j is the Lagrange polynomial that is 1 at node j and 0 at the others, so that
    sum_j weight_j F(v_j) integrates the polynomial through the values F(v_j). With one node it is
    Euler's weight; ``density`` (1 by default) makes it an exponential Adams method. By
    Gauss-Legendre quadrature with 24 points: exact for polynomials to degree 47, and to round-off
    for exp(v) on intervals of length 10. Weights of steps that were asked for before are kept:
    every batch takes the same steps. A density is then told from others by ``==``, which a frozen
    dataclass such as `Exponential` answers by value.
    """
    return _integrate(nodes, start, end, density)


@dataclass(frozen=True)
class Exponential:
    """The density exp(rate (v - origin))."""

    rate: float = 1.0
    origin: float = 0.0

    def __call__(self, v: Array) -> Array:
        found: Array = np.exp(self.rate * (v - self.origin))
        return found


@lru_cache(maxsize=4096)
def _integrate(
    nodes: tuple[float, ...],
    start: float,
    end: float,
    density: Callable[[Array], Array] | None,
) -> tuple[float, ...]:
    points, weights = _gauss_legendre()
    half = 0.5 * (end - start)
    v = start + half * (points + 1)
    measure = half * weights * (density(v) if density else 1.0)
    values = np.asarray(nodes, dtype=np.float64)
    integrals = []
    for j, node in enumerate(nodes):
        others = np.delete(values, j)
        integrals.append(float(measure @ np.prod((v[:, None] - others) / (node - others), axis=1)))
    return tuple(integrals)


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(24)
    return points, weights
