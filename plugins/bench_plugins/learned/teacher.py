"""The paths that methods learn from, and what they can be learned for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor

from bench.api import (
    AdamsBashforthInS,
    BenchError,
    Calibration,
    Problem,
    Stepper,
    Time,
    UnsupportedError,
    karras_times,
)


def teacher_path(problem: Problem, x: Tensor, fine: Sequence[Time]) -> list[Tensor]:
    """x at every point of ``fine``: Adams-Bashforth of order 4 in s, one evaluation a step.

    Raises:
        BenchError: it is not finite.
        UnsupportedError: the guidance changes the state between steps, as no teacher does.
    """
    if problem.settles:
        raise UnsupportedError(
            "this guidance changes the state between steps, and a method that is learned from "
            "paths of the ODE knows nothing of it"
        )
    teacher = AdamsBashforthInS()
    state, path = teacher.start(fine), [x]
    for now, then in pairwise(fine):
        x, state = teacher.step(problem, x, now, then, state)
        path.append(x)
    if not bool(x.isfinite().all()):
        raise BenchError("a calibration's teacher is not finite; raise fine_steps")
    return path


def fine_times(cell: Calibration, fine_steps: int) -> tuple[Time, ...]:
    """The teacher's grid, Karras's of ``fine_steps`` steps."""
    return karras_times(cell.process, fine_steps, cell.s_min, cell.s_max)


def lessons(
    cell: Calibration, samples: int, fine_steps: int
) -> list[tuple[Problem, Tensor, Tensor]]:
    """(problem, x at s_max, the teacher's x at s_min) of each batch of starts."""
    fine = fine_times(cell, fine_steps)
    return [(problem, x, teacher_path(problem, x, fine)[-1]) for problem, x in cell.starts(samples)]


def student_of(cell: Calibration, grid: str) -> Stepper[Any]:
    """The solver that ``grid`` is chosen for: the cell's, and where none is known Euler's in s.

    Raises:
        UnsupportedError: it draws noise, so that its paths are not the teacher's.
    """
    stepper = cell.stepper or AdamsBashforthInS(highest=1)
    if stepper.stochastic:
        raise UnsupportedError(
            f"grid '{grid}': is learned from paths of the ODE, and solver '{stepper.name}' draws "
            "noise; use an ODE solver, or a grid that needs no path"
        )
    return stepper
