"""Optimal Stepsize: dynamic programming over the student's own steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    CountedDenoiser,
    FilePath,
    FixedTimes,
    NoiseProcess,
    Problem,
    Stepper,
    Time,
    TimeGrid,
    UnsupportedError,
    require,
)
from bench_plugins.learned.kept import Rows, learned_rows
from bench_plugins.learned.papers import PEI2025OPTIMAL
from bench_plugins.learned.teacher import fine_times, student_of, teacher_path

Node = tuple[list[Tensor], list[Any], tuple[int, ...]]
"""States of all batches, what the solver carries with each, and the points passed."""


@dataclass(frozen=True)
class OptimalStepsize(TimeGrid):
    """The points of a fine grid through which the solver's own steps end nearest to a teacher.

    With z_k(i) the solver's state at fine point i after k steps and y the teacher's path,
    z_k(i) is the step from that z_(k-1)(j), j before i, which comes nearest to y(i) (mean square
    over samples); the path that leads to z_steps(last) is the grid. Steps start where the solver
    stands, not on the teacher's path as in ``gits``, so that errors are counted as they add up.
    It is made for the solver that runs, multistep methods included: what they carry is kept beside
    each z. Evaluations at one state are shared by all steps that leave it, so that a method of one
    evaluation a step costs about steps x fine_steps x samples; one with stages up to
    fine_steps / 2 times as many.

    The teacher is Adams-Bashforth of order 4 in s on the ``karras`` grid of ``fine_steps`` steps.

    Attributes:
        fine_steps: steps of the teacher, at least as many as the sampler's.
        samples: trajectories over which distances are averaged.
        file: numbers that `bench calibrate` kept; nothing is learned then.
    """

    name: ClassVar[str] = "oss"
    reference: ClassVar[str] = "Pei, Hu and Gu 2025, arXiv:2503.21774"
    bibtex: ClassVar[str] = PEI2025OPTIMAL
    needs_calibration: ClassVar[bool] = True

    fine_steps: int = 50
    samples: int = 64
    file: FilePath | None = None

    def __post_init__(self) -> None:
        require(self.fine_steps >= 1, "fine_steps must be >= 1")
        require(self.samples >= 1, "samples must be >= 1")

    def calibrate(self, cell: Calibration) -> TimeGrid:
        return FixedTimes(self.times_of(cell, learned_rows(self, cell)))

    def times_of(self, cell: Calibration, rows: Rows) -> tuple[Time, ...]:
        fine, last = fine_times(cell, self.fine_steps), self.fine_steps
        way = rows[0] if len(rows) == 1 else ()
        if len(way) != cell.steps + 1 or not {*way} <= {*range(last + 1)}:
            raise BenchError(
                f"grid 'oss': its file has not {cell.steps + 1} whole numbers from 0 to {last}"
            )
        return tuple(fine[int(i)] for i in way)

    def learn(self, cell: Calibration) -> Rows:
        student = student_of(cell, self.name)
        if student.whole:
            raise UnsupportedError(
                f"grid 'oss': tries single steps, and solver '{student.name}' runs whole paths only"
            )
        if cell.steps > self.fine_steps:
            raise UnsupportedError(
                f"grid 'oss': chooses {cell.steps} steps among fine_steps = {self.fine_steps}; "
                "raise fine_steps"
            )
        fine = fine_times(cell, self.fine_steps)
        starts = list(cell.starts(self.samples))
        paths = [teacher_path(problem, x, fine) for problem, x in starts]
        search = _Search(student, fine, [problem for problem, _ in starts], paths)
        return (tuple(float(i) for i in search.best(cell.steps)),)

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        raise BenchError("grid 'oss' must be calibrated first: use what `calibrate` returns")


@dataclass(frozen=True, eq=False)
class _Search:
    """The dynamic programme, for one solver and the teacher's paths of all batches."""

    student: Stepper[Any]
    fine: tuple[Time, ...]
    problems: list[Problem]
    paths: list[list[Tensor]]

    def best(self, steps: int) -> tuple[int, ...]:
        """Indices of steps + 1 points."""
        last = len(self.fine) - 1
        # What a solver wants to know of the grid beforehand is the number of steps.
        whole = self.fine[: steps + 1]
        begin = [self.student.start(whole) for _ in self.problems]
        nodes: dict[int, Node] = {0: ([path[0] for path in self.paths], begin, (0,))}
        for k in range(1, steps + 1):
            left = steps - k
            ends = [last] if left == 0 else range(k, last - left + 1)
            nodes = self._advance(nodes, ends)
        if last not in nodes:
            raise BenchError(
                f"grid 'oss': no path of solver '{self.student.name}' in {steps} steps is finite"
            )
        return nodes[last][2]

    def _advance(self, nodes: dict[int, Node], ends: Iterable[int]) -> dict[int, Node]:
        """The nearest state at each of ``ends``, one step after ``nodes``."""
        found: dict[int, tuple[float, Node]] = {}
        for j, (states, carried, way) in nodes.items():
            problems = [_remembers(problem) for problem in self.problems]
            tried = list(zip(problems, states, carried, strict=True))
            for i in ends:
                if i <= j:
                    continue
                now, then = self.fine[j], self.fine[i]
                after = [self.student.step(p, x, now, then, state) for p, x, state in tried]
                moved = [x for x, _ in after]
                if (gap := self._gap(moved, i)) < (found[i][0] if i in found else math.inf):
                    found[i] = gap, (moved, [state for _, state in after], (*way, i))
        return {i: node for i, (_, node) in found.items()}

    def _gap(self, states: list[Tensor], i: int) -> float:
        """The sum of squares of the distance from the teacher's point ``i``."""
        pairs = zip(states, self.paths, strict=True)
        return sum(float((x - path[i]).double().square().sum()) for x, path in pairs)


def _remembers(problem: Problem) -> Problem:
    """The problem, whose network is asked once for what steps from one state ask first.

    Under a guidance it is asked each time: solvers look at more of it than D.
    """
    if not isinstance(problem.model, CountedDenoiser):
        return problem
    known: list[tuple[Tensor, Tensor, Tensor]] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        for before, level, d in known:
            if torch.equal(level, s) and torch.equal(before, y):
                return d
        d = problem.model(y, s)
        if not known:
            known.append((y, s, d))
        return d

    return replace(problem, model=denoise)
