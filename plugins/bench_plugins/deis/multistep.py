"""DEIS's multistep methods: Adams-Bashforth methods on dy/ds = eps."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.api import (
    MultistepOdeSolver,
    NoiseProcess,
    Past,
    Problem,
    Time,
    adams_weights,
    combine,
    paper,
    require,
    weighted_terms,
)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _AdamsBashforth(MultistepOdeSolver):
    """y_then = y_now + the integral over s of the polynomial through the last q + 1 values of eps.

    Attributes:
        q: degree of the polynomial; 0: DDIM.
        lower_order_final: degrees ..., 1, 0 in the last steps.
    """

    q: int = 3
    lower_order_final: bool = False

    def __post_init__(self) -> None:
        require(0 <= self.q <= 4, "q must lie between 0 and 4")

    @property
    def order(self) -> int:
        return min(self.q + 1, 2)

    @property
    def max_order(self) -> int:
        return self.q + 1

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        weights = self._weights(problem.process, tuple(e.time for e in past), then)
        terms = weighted_terms([then.alpha * w for w in weights], past)
        return combine((then.alpha / now.alpha, x), *terms)

    @abstractmethod
    def _weights(
        self, process: NoiseProcess, nodes: tuple[Time, ...], then: Time
    ) -> tuple[float, ...]:
        """The integrals over s of the Lagrange polynomials, from the first node to ``then``."""


@dataclass(frozen=True)
class DeisTAB(_AdamsBashforth):
    """tAB-DEIS: eps is extrapolated by a polynomial in the time t of the process.

    One evaluation per step. Order 2 (1 for q = 0), as the first step is DDIM; but at the noisy end
    eps hardly changes, and in the direction of sampling q = 3 shows order 3 up to some 100 steps.
    The method depends on the process: under VE, where t is linear in ln s, it is what diffusers
    calls DEIS ("logrho"), under EDM it is rhoAB.
    """

    name: ClassVar[str] = "deis_tab"
    reference: ClassVar[str] = "Zhang and Chen 2022, arXiv:2204.13902, Eq. 14 and 15"
    bibtex: ClassVar[str] = paper("zhang2023deis")

    def _weights(
        self, process: NoiseProcess, nodes: tuple[Time, ...], then: Time
    ) -> tuple[float, ...]:
        return _weights_in_t(process, nodes, then)


@dataclass(frozen=True)
class DeisRhoAB(_AdamsBashforth):
    """rhoAB-DEIS: eps is extrapolated by a polynomial in rho = s; the same under every process.

    One evaluation per step; order as ``deis_tab``'s. It is the variable-step Adams-Bashforth
    method, and so k-diffusion's LMS (``lms``).
    """

    name: ClassVar[str] = "deis_rhoab"
    reference: ClassVar[str] = "Zhang and Chen 2022, arXiv:2204.13902, Section 4"
    bibtex: ClassVar[str] = paper("zhang2023deis")

    def _weights(
        self, process: NoiseProcess, nodes: tuple[Time, ...], then: Time
    ) -> tuple[float, ...]:
        return adams_weights(tuple(node.s for node in nodes), nodes[0].s, then.s)


@lru_cache(maxsize=4096)
def _weights_in_t(process: NoiseProcess, nodes: tuple[Time, ...], then: Time) -> tuple[float, ...]:
    """The integrals of l_j(t(s)) over s, taken in ln s: there t is smooth, however long the step.

    They depend on the grid only, and every batch of a run needs them again.
    """
    points, weights = _gauss_legendre()
    half = 0.5 * (nodes[0].lam - then.lam)
    s = np.exp(half * (points + 1) - nodes[0].lam)
    t = process.time_at(torch.from_numpy(s)).numpy()
    values = np.array([node.t for node in nodes])
    integrals = []
    for j, node in enumerate(nodes):
        others = np.delete(values, j)
        lagrange = np.prod((t[:, None] - others) / (node.t - others), axis=1)
        integrals.append(float(half * np.sum(weights * s * lagrange)))
    return tuple(integrals)


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(32)
    return points, weights
