"""MCGdiff: particles that answer one question together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import Predictor, Problem, Time
from bench_plugins.inverse.observed import Seen
from bench_plugins.inverse.papers import CARDOSO2024MCGDIFF
from bench_plugins.inverse.reverse import ancestral_step


@dataclass(frozen=True)
class McgDiff(Predictor[bool]):
    """Ancestral sampling fused with the observation, and resampled: sequential Monte Carlo.

    The samples of one question in a batch are its particles (``draws`` of the task, at most 64).
    The potential of an observed coefficient at level s is N(c_s; y/v, s^2 - level^2) with
    level = noise / v, down to its level, where it is y/v; below that it is sampled as the rest.
    Each step takes the fused transition in closed form, after particles have been drawn by its
    normalisation: stratified, with a uniform number of each sample's own (the paper's multinomial
    draws lose most ancestors where all weights are equal, too). The paper puts the levels on the
    grid, and the authors' code widens the potentials by 1e-4 (1 + level^2); here a step across a
    level stops there with the same D, at y/v itself. As particles and steps become many it samples
    the exact posterior. The particles of a question are not independent of each other.
    One evaluation a step; batches of 64 samples, so that the last ones depend on how many there
    are.
    """

    name: ClassVar[str] = "mcgdiff"
    reference: ClassVar[str] = "Cardoso et al. 2024, arXiv:2308.07983 (MCGdiff)"
    bibtex: ClassVar[str] = CARDOSO2024MCGDIFF
    order: ClassVar[int] = 1
    observes: ClassVar[bool] = True
    batch_coupled: ClassVar[bool] = True

    def start(self, times: Sequence[Time]) -> bool:
        return True

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: bool
    ) -> tuple[Tensor, bool]:
        seen = Seen.of(problem.observation)
        if state:
            x = _begin(seen, x, now)
        d = problem.denoise(x, now)
        fused = _Fused.of(seen, seen.operator.coefficients(x) / now.alpha, d, now.s, then.s)
        uniform = problem.uniform().flatten(1)[:, 0]
        rows = resample(fused.log_weight, groups(problem.observation.value), uniform)
        x, d, z = x[rows], d[rows], problem.normal()
        drawn = fused.draw(rows, seen, d, seen.operator.coefficients(z), then.s)
        free = ancestral_step(x, d, z, now, then)
        own = seen.operator.coefficients(free)
        return seen.put(free, torch.where(fused.active, then.alpha * drawn, own)), False


@dataclass(frozen=True, eq=False)
class _Fused:
    """The transition of the observed coefficients to level u, times the potential there.

    Attributes:
        mean: of the transition alone, (n, m).
        variance: the same, (m,).
        room: variance of the potential, (m,).
        u: the level that is reached: s_then, or the observation's own if that is higher, (m,).
        active: where there is a potential, (m,).
        log_weight: log normalisation over the potential before, (n,).
    """

    mean: Tensor
    variance: Tensor
    room: Tensor
    u: Tensor
    active: Tensor
    log_weight: Tensor

    @staticmethod
    def of(seen: Seen, own: Tensor, d: Tensor, now: float, then: float) -> _Fused:
        active = seen.level < now
        u = seen.level.clamp(then, now)
        ratio = (u / now).square()
        mean = torch.lerp(seen.operator.coefficients(d), own, ratio)
        variance, room = u.square() * (1 - ratio), seen.square_gap(u).clamp_min(0)
        after = _log_normal(seen.known - mean, variance + room)
        before = _log_normal(seen.known - own, seen.square_gap(now))
        weight = torch.where(active, after - before, 0.0).sum(1)
        return _Fused(mean, variance, room, u, active, weight)

    def draw(self, rows: Tensor, seen: Seen, d: Tensor, noise: Tensor, then: float) -> Tensor:
        """The coefficients at s_then of the particles ``rows``; ``d`` is theirs.

        ``noise`` serves both ways: where the level is u > s_then the first has none.
        """
        gain = self.variance / (self.variance + self.room)
        reached = torch.lerp(self.mean[rows], seen.known, gain)
        reached = reached + (self.room * gain).sqrt() * noise
        ratio = (then / self.u).square()
        std = then * (1 - ratio).clamp_min(0).sqrt()
        return torch.lerp(seen.operator.coefficients(d), reached, ratio) + std * noise


def _begin(seen: Seen, x: Tensor, now: Time) -> Tensor:
    """x_T ~ N(0, sigma_T^2 I) times the potential, made of ``x`` ~ N(0, sigma_T^2 I)."""
    own, room = seen.operator.coefficients(x), seen.square_gap(now.s)
    gain = now.s**2 / (now.s**2 + room.clamp_min(0))
    drawn = gain * now.alpha * seen.known + (1 - gain).sqrt() * own
    return seen.put(x, torch.where(room > 0, drawn, own))


def _log_normal(gap: Tensor, variance: Tensor) -> Tensor:
    """ln N(gap; 0, variance), but for its constant; finite where the variance is not positive."""
    safe = variance.clamp_min(torch.finfo(variance.dtype).tiny)
    return -0.5 * (gap.square() / safe + safe.log())


def groups(value: Tensor) -> Tensor:
    """The number of each row's question, (n,): rows with equal neighbours have the same."""
    changes = (value[1:] != value[:-1]).any(1).cumsum(0)
    return torch.cat([changes.new_zeros(min(1, len(value))), changes])


def resample(log_weight: Tensor, group: Tensor, uniform: Tensor) -> Tensor:
    """For each row the row that takes its place, drawn by weight among its group, int64, (n,).

    Stratified: the i-th of N rows draws from the i-th N-th of the weight.

    Args:
        log_weight: (n,).
        group: (n,); rows of a group are neighbours.
        uniform: a number in [0, 1) of each row's own, (n,).
    """
    same = group[:, None] == group
    share = log_weight.expand_as(same).masked_fill(~same, -math.inf).softmax(1).cumsum(1)
    place = torch.arange(len(group), device=group.device)
    last, size = (same * place).amax(1), same.sum(1)
    level = (place - last + size - 1 + uniform) / size
    return (share <= level[:, None]).sum(1).minimum(last)
