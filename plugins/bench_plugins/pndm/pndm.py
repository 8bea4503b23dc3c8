"""Pseudo linear multistep methods that start at second order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import MultistepOdeSolver, Past, Problem, Time
from bench_plugins.pndm.papers import LIU2022PSEUDO, ROMBACH2022HIGH
from bench_plugins.pndm.transfer import adams_bashforth, transfer


@dataclass(frozen=True)
class PNDM(MultistepOdeSolver):
    """F-PNDM: three pseudo Runge-Kutta steps, then fourth-order pseudo linear multistep steps.

    N + 9 evaluations for N >= 3 steps: a Runge-Kutta step costs four. Its middle stages lie
    half-way in t, so that, unlike in the other methods here, the process matters. Order 2:
    "fourth order" is meant on equal steps in s, which no grid of use has.
    """

    name: ClassVar[str] = "pndm"
    reference: ClassVar[str] = "Liu et al. 2022, arXiv:2202.09778, Eq. 12 and 13, Algorithm 2"
    bibtex: ClassVar[str] = LIU2022PSEUDO
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 4

    def cost(self, steps: int) -> int:
        return steps + 3 * min(steps, 3)

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        if len(past) == 4:
            return adams_bashforth(x, now, then, past)
        eps = past[0].value
        middle = problem.at(0.5 * (now.t + then.t))
        eps_2 = problem.eps(transfer(x, now, middle, (1.0, eps)), middle)
        eps_3 = problem.eps(transfer(x, now, middle, (1.0, eps_2)), middle)
        eps_4 = problem.eps(transfer(x, now, then, (1.0, eps_3)), then)
        parts = (1 / 6, eps), (1 / 3, eps_2), (1 / 3, eps_3), (1 / 6, eps_4)
        return transfer(x, now, then, *parts)


@dataclass(frozen=True)
class PLMS(MultistepOdeSolver):
    """PNDM without Runge-Kutta steps: a pseudo improved Euler step, then orders 2, 3 and 4.

    N + 1 evaluations for N steps: the first step averages eps of both its ends. Order 2, as for
    PNDM. This is latent diffusion's PLMS sampler and diffusers' PNDM with ``skip_prk_steps``;
    the paper's S-PNDM starts in the same way and stays with two evaluations per combination.
    """

    name: ClassVar[str] = "plms"
    reference: ClassVar[str] = (
        "Liu et al. 2022, arXiv:2202.09778, Eq. 12; Rombach et al. 2022, arXiv:2112.10752 (code)"
    )
    bibtex: ClassVar[str] = LIU2022PSEUDO + ROMBACH2022HIGH
    order: ClassVar[int] = 2
    max_order: ClassVar[int] = 4

    def cost(self, steps: int) -> int:
        return steps + 1

    def evaluate(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        return problem.eps(x, now)

    def advance(self, problem: Problem, x: Tensor, now: Time, then: Time, past: Past) -> Tensor:
        if len(past) > 1:
            return adams_bashforth(x, now, then, past)
        eps = past[0].value
        eps_then = problem.eps(transfer(x, now, then, (1.0, eps)), then)
        return transfer(x, now, then, (0.5, eps), (0.5, eps_then))
