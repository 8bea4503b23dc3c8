"""Solvers whose numbers are learned: the common frame and what learns them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    FilePath,
    OdeSolver,
    Problem,
    Time,
    UnsupportedError,
    require,
)
from bench_plugins.learned.kept import Rows, entry_for
from bench_plugins.learned.teacher import lessons

Number = float | Tensor
Past = tuple[tuple[float, Tensor], ...]
"""(s, value) of the last evaluations, the newest first."""


L = TypeVar("L", bound="LearnedSolver")


@dataclass(frozen=True)
class LearnedSolver(OdeSolver[Past]):
    """A method in y = x / alpha and s, and changes of its numbers that are learned for one grid.

    A subclass gives ``width``, the changes of a step, and ``move``; with changes of zero it is the
    method from which learning starts, and so it runs where it is not calibrated. They minimise
    the mean square distance at s_min from a teacher (Adams-Bashforth of order 4 in s on the
    ``karras`` grid), by L-BFGS with gradients through the whole loop, all samples at once; the
    best changes met are kept, so that on its own starts it is never worse than without. The
    papers use LPIPS on images; here it is L2.

    A calibrated method runs on the grid that it is made for. On others, upwards included, it is
    refused; a step that leaves out points of its own grid is that of the method before learning.
    """

    samples: int = 64
    iterations: int = 20
    fine_steps: int = 60
    file: FilePath | None = None
    changes: ClassVar[Rows] = ()
    """What was learned for the steps between ``levels``; empty but for what `calibrate` returns."""
    levels: ClassVar[tuple[float, ...]] = ()
    remark: ClassVar[str] = ""

    def __post_init__(self) -> None:
        require(self.samples >= 1, "samples must be >= 1")
        require(self.iterations >= 1, "iterations must be >= 1")
        require(self.fine_steps >= 1, "fine_steps must be >= 1")

    @property
    @abstractmethod
    def width(self) -> int:
        """The changes of one step."""

    @abstractmethod
    def move(
        self,
        problem: Problem,
        y: Tensor,
        span: tuple[float, float],
        change: Sequence[Number],
        past: Past,
    ) -> tuple[Tensor, Past]:
        """y at s = span[1] from ``y`` at span[0], and the past of the next step."""

    def start(self, times: Sequence[Time]) -> Past:
        asked = [time.s for time in times]
        falling = all(then < now for now, then in pairwise(asked))
        if self.levels and not (falling and set(asked) <= set(self.levels)):
            raise UnsupportedError(
                f"solver '{self.name}': its numbers were learned for the cell's grid, and it was "
                "asked to run on another one"
            )
        return ()

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Past
    ) -> tuple[Tensor, Past]:
        learned = dict(zip(pairwise(self.levels), self.changes, strict=True))
        change = learned.get((now.s, then.s), (0.0,) * self.width)
        y = x if now.alpha == 1.0 else x / now.alpha
        y, past = self.move(problem, y, (now.s, then.s), change, state)
        return y if then.alpha == 1.0 else y * then.alpha, past

    def note(self) -> str:
        return self.remark

    def calibrate(self: L, cell: Calibration) -> L:
        kept = entry_for(self, self.file, cell) if self.file else None
        fitted = replace(self)
        object.__setattr__(fitted, "changes", kept.numbers if kept else self.learn(cell))
        object.__setattr__(fitted, "levels", tuple(time.s for time in cell.times))
        object.__setattr__(fitted, "remark", kept.remark if kept else "")
        return fitted

    def times_of(self, cell: Calibration, rows: Rows) -> Sequence[Time]:
        if [len(row) for row in rows] != [self.width] * cell.steps:
            raise BenchError(f"solver '{self.name}': its file has not {self.width} numbers a step")
        return cell.times

    def learn(self, cell: Calibration) -> Rows:
        taught = lessons(cell, self.samples, self.fine_steps)
        levels = tuple(time.s for time in cell.times)
        scale = cell.times[0].alpha, cell.times[-1].alpha
        pairs = [(p, x / scale[0], end / scale[1]) for p, x, end in taught]

        def loss(changes: Tensor) -> Tensor:
            gaps = [self._end(problem, y, levels, changes) - end for problem, y, end in pairs]
            return torch.cat([gap.flatten() for gap in gaps]).square().mean()

        learned = minimise(loss, torch.zeros(len(levels) - 1, self.width).double(), self.iterations)
        return tuple(map(tuple, learned.tolist()))

    def _end(self, problem: Problem, y: Tensor, levels: Sequence[float], changes: Tensor) -> Tensor:
        past: Past = ()
        for span, change in zip(pairwise(levels), changes, strict=True):
            y, past = self.move(problem, y, span, list(change), past)
        return y


def minimise(loss: Callable[[Tensor], Tensor], start: Tensor, iterations: int) -> Tensor:
    """The best point that L-BFGS meets from ``start`` on; what is not finite is never best."""
    point = start.clone().requires_grad_(True)
    met: list[tuple[float, Tensor]] = [(math.inf, start)]
    optimiser = torch.optim.LBFGS(
        [point], max_iter=iterations, history_size=iterations, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        with torch.enable_grad():
            value = loss(point)
            (point.grad,) = torch.autograd.grad(value, point)
        found = float(value.detach())
        if found < met[-1][0]:
            met.append((found, point.detach().clone()))
        return found

    optimiser.step(closure)
    return met[-1][1]


def ask(problem: Problem, y: Tensor, s: Number) -> Tensor:
    """D(y; s). One evaluation, differentiable in ``s`` where that is a tensor."""
    level = s.to(y) if isinstance(s, Tensor) else torch.full((), s, dtype=y.dtype, device=y.device)
    return problem.model(y, level)


def ask_all(problem: Problem, states: Sequence[tuple[Tensor, Number]]) -> list[Tensor]:
    """D of each (y, s), in parallel: none waits for another."""
    if any(isinstance(s, Tensor) for _, s in states):  # learning; its depth is of no interest
        return [ask(problem, y, s) for y, s in states]
    times = [problem.process.at_s(float(s)) for _, s in states]
    return problem.denoise_all(
        [(y * time.alpha, time) for (y, _), time in zip(states, times, strict=True)]
    )
