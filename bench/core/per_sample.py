"""The driver of adaptive methods that give every sample steps of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.core.problem import Problem
from bench.core.process import Time
from bench.core.rows import rows_of
from bench.core.solver import Adaptive, AdaptiveOdeSolver, AdaptivePredictor


@dataclass(frozen=True, eq=False)
class WalkStart:
    """Samples at the start of their way.

    A method's time is whatever runs monotonically from ``start`` to ``end``: t, or lambda.

    Attributes:
        x: the states, (n, *shape), in coordinates of the method's choice.
        start: the time at which the way begins.
        end: the time at which it ends.
        h: sizes of the first steps, positive, (n,), float64. Times are on its device.
        memory: what the method keeps of each sample's last accepted step, first dimension n.
    """

    x: Tensor
    start: float
    end: float
    h: Tensor
    memory: tuple[Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class Walk:
    """Samples of one shard on their way, each at its own time.

    Attributes:
        x: the states, as in ``WalkStart``.
        h: sizes of these steps, as there, but cut so that no step passes the end.
        memory: as there.
        now: the times, float64, (n,).
        start: the time at which the way begins.
        end: the time at which it ends.
        rows: indices of the samples in the batch, (n,), on the device of ``x``.
        rejected: samples whose last attempt was rejected, (n,), bool.
        z: a standard normal draw for this attempt, (n, *shape); empty for ODE solvers.
    """

    x: Tensor
    h: Tensor
    memory: tuple[Tensor, ...]
    now: Tensor
    start: float
    end: float
    rows: Tensor
    rejected: Tensor
    z: Tensor


@dataclass(frozen=True, eq=False)
class TriedStep:
    """A step that was tried.

    Attributes:
        x: the states after the step; taken where it is accepted.
        accepted: (n,), bool, on the device of the times.
        h: sizes of the next steps, accepted or not.
        memory: the memory after the step; taken where it is accepted.
    """

    x: Tensor
    accepted: Tensor
    h: Tensor
    memory: tuple[Tensor, ...] = ()


class PerSample(Adaptive):
    """An adaptive method in which no sample's steps depend on another's.

    Every sample has a time, a step and an error of its own, and those at the end leave the batch,
    so that NFE is a mean over samples. Samples of two shards are never computed together, since a
    network's last bits depend on what is in its batch. Shards go on in turns, so that each attempt
    of a stochastic method takes one draw for the whole batch.
    """

    @abstractmethod
    def begin(self, problem: Problem, x: Tensor, first: Time, last: Time) -> WalkStart:
        """The samples ``x`` of one shard at ``first``, on their way to ``last``."""

    @abstractmethod
    def attempt(self, problem: Problem, walk: Walk, then: Tensor) -> TriedStep:
        """Try the steps from ``walk.now`` to ``then``, of sizes ``walk.h``, all of shape (n,)."""

    def finish(self, x: Tensor, last: Time) -> Tensor:
        """Samples at the end, from the method's coordinates."""
        return x

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        first, last = times[0], times[-1]
        end = torch.empty_like(x)
        walks = [
            _walk(self.begin(problem.of_rows(rows), x[rows], first, last), rows)
            for rows in torch.arange(len(x), device=x.device).split(problem.shard)
        ]
        while walks:
            z = problem.normal() if self.stochastic else x[:, :0]
            walks = [self._move(problem, walk, z, end, last) for walk in walks]
            walks = [walk for walk in walks if len(walk.rows)]
        return end

    def _move(self, problem: Problem, walk: Walk, z: Tensor, end: Tensor, last: Time) -> Walk:
        """The samples that are left after one attempt; the others are written into ``end``."""
        left = walk.end - walk.now
        h = torch.where(walk.h < left.abs(), walk.h, left.abs())
        # The last step lands on the end itself, whatever rounding does.
        then = torch.where(h == left.abs(), walk.end, walk.now + h.copysign(left))
        walk = replace(walk, h=h, z=z[walk.rows])
        walk = _after(walk, self.attempt(problem.of_rows(walk.rows), walk, then), then)
        arrived = walk.now == walk.end
        if not bool(arrived.any()):
            return walk
        here = arrived.to(end.device)
        end[walk.rows[here]] = self.finish(walk.x[here], last)
        return _select(walk, ~arrived)


class PerSampleOdeSolver(PerSample, AdaptiveOdeSolver):
    """An ODE solver whose samples step by themselves."""


class PerSamplePredictor(PerSample, AdaptivePredictor):
    """A solver of the reverse SDE whose samples step by themselves."""


def _walk(begin: WalkStart, rows: Tensor) -> Walk:
    now = torch.full_like(begin.h, begin.start)
    rejected = torch.zeros_like(now, dtype=torch.bool)
    ends = begin.start, begin.end
    return Walk(begin.x, begin.h, begin.memory, now, *ends, rows, rejected, begin.x[:, :0])


def _after(walk: Walk, tried: TriedStep, then: Tensor) -> Walk:
    """The samples after an attempt: moved where it was accepted."""
    here = tried.accepted.to(walk.x.device)

    def choose(new: Tensor, old: Tensor) -> Tensor:
        return torch.where(rows_of(here, new), new, old)

    return replace(
        walk,
        x=choose(tried.x, walk.x),
        memory=tuple(map(choose, tried.memory, walk.memory)),
        now=torch.where(tried.accepted, then, walk.now),
        h=tried.h,
        rejected=~tried.accepted,
    )


def _select(walk: Walk, kept: Tensor) -> Walk:
    here = kept.to(walk.x.device)
    return replace(
        walk,
        x=walk.x[here],
        h=walk.h[kept],
        memory=tuple(item[here] for item in walk.memory),
        now=walk.now[kept],
        rows=walk.rows[here],
        rejected=walk.rejected[kept],
    )
