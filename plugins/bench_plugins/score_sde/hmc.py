"""Hamiltonian Monte Carlo as a corrector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Corrector, Problem, Time, combine, require, rows_of
from bench_plugins.score_sde.papers import DUANE1987HYBRID, NEAL2011MCMC


@dataclass(frozen=True)
class HMC(Corrector):
    """Hamiltonian Monte Carlo on p_t: leapfrog steps of size ``step`` sigma_t, identity mass.

    A trajectory starts with a momentum z ~ N(0, I) and follows H = -ln p_t(x) + |z|^2 / 2. Where
    the model has a log density, each sample keeps its end with probability min(1, exp(-change of
    H)) and else stays where it was, which leaves p_t invariant (Metropolis-adjusted). Where it has
    none, as all networks, every end is kept (unadjusted): a variance V becomes
    V / (1 - step^2 sigma_t^2 / (4 V)), at most 1 + step^2 / 4 of it for small steps. The results
    name which of the two it was.

    One evaluation to start with and one per leapfrog step; the next trajectory starts from the
    score of the state that was kept.

    Attributes:
        step: leapfrog step in units of sigma_t; it is stable below 2, since p_t is nowhere
            narrower than sigma_t.
        leapfrog: leapfrog steps per trajectory.
        trajectories: trajectories per call.
    """

    name: ClassVar[str] = "hmc"
    reference: ClassVar[str] = "Neal 2011, arXiv:1206.1901, Section 3; Duane et al. 1987"
    bibtex: ClassVar[str] = NEAL2011MCMC + DUANE1987HYBRID

    step: float = 0.3
    leapfrog: int = 3
    trajectories: int = 1

    def __post_init__(self) -> None:
        require(0 < self.step < 2, "step must lie in (0, 2)")
        require(self.leapfrog >= 1, "leapfrog must be >= 1")
        require(self.trajectories >= 1, "trajectories must be >= 1")

    def cost(self) -> int:
        return self.trajectories * self.leapfrog + 1

    def note(self, problem: Problem) -> str:
        if problem.log_prob is None:
            return "unadjusted: the model has no log density"
        return "Metropolis-adjusted"

    def correct(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        score = problem.score(x, now)
        for _ in range(self.trajectories):
            z = problem.normal()
            end, momentum, end_score = self._trajectory(problem, x, z, score, now)
            if problem.log_prob is None:
                x, score = end, end_score
                continue
            # ln p_t(x) is the log density of y = x / alpha but for a constant, which cancels.
            gain = problem.log_prob(end / now.alpha, now.s) - problem.log_prob(x / now.alpha, now.s)
            gain = gain + 0.5 * (_square(z) - _square(momentum))
            keep = rows_of(problem.uniform().flatten(1)[:, 0] < gain.exp(), x)
            x, score = torch.where(keep, end, x), torch.where(keep, end_score, score)
        return x

    def _trajectory(
        self, problem: Problem, x: Tensor, z: Tensor, score: Tensor, now: Time
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The end of a trajectory: position, momentum and the score there."""
        size = self.step * now.sigma
        z = combine((1.0, z), (size / 2, score))
        for left in reversed(range(self.leapfrog)):
            x = combine((1.0, x), (size, z))
            score = problem.score(x, now)
            # Two half steps of the momentum in a row are a whole one.
            z = combine((1.0, z), (size if left else size / 2, score))
        return x, z, score


def _square(z: Tensor) -> Tensor:
    """Squared norm of each sample, shape (n,)."""
    return z.flatten(1).square().sum(1)
