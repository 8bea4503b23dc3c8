"""Refuses a file that makes too many cells, before any is made: lists multiply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.config.matrix import Matrix, PluginChoices, SamplerChoices
from bench.core.errors import BenchError

MAX_CELLS = 50_000
"""Cells that a file may make unless more are asked for: half a minute of planning."""

METRICS = 10
"""Metrics of a cell at which the largest number of cells may be reached; more weigh as more."""


def check_count(matrices: Sequence[Matrix], most: int) -> None:
    """Refuse the matrices of a file that make more than ``most`` cells.

    Raises:
        BenchError: says how many, in which suite, and how to allow them.
    """
    total = sum(_count(matrix, most) for matrix in matrices)
    if total > most:
        raise BenchError(
            f"{matrices[-1].suite.document.path}: makes {total:,} cells in {len(matrices)} suites, "
            f"more than {most:,}; run them apart, or allow them with --max-cells {total}"
        )


def _count(matrix: Matrix, most: int) -> int:
    """The cells of a suite, those alike counted as often as they stand there."""
    seeds = len(matrix.suite.config.seeds)
    models, processes, metrics = map(_total, (matrix.models, matrix.processes, matrix.metrics))
    tasks = _total(matrix.tasks)
    points = sum(_points(item, matrix) for item in matrix.samplers)
    cells = models * tasks * processes * points * seeds
    if cells > most:
        posed = f" x tasks {tasks:,}" if tasks > 1 else ""
        raise matrix.suite.error(
            (),
            f"makes {cells:,} cells (models {models:,}{posed} x processes {processes:,} x "
            f"samplers, grids and budgets {points:,} x seeds {seeds:,}), more than {most:,}; "
            f"shorten a list, or allow them with --max-cells {cells}",
        )
    if cells * metrics > most * METRICS:
        raise matrix.suite.error(
            ("metrics",),
            f"makes {cells * metrics:,} numbers ({metrics:,} metrics in each of {cells:,} cells), "
            f"more than {most * METRICS:,}; shorten a list, or allow them with --max-cells "
            f"{-(-cells * metrics // METRICS)}",
        )
    return cells


def _points(item: SamplerChoices, matrix: Matrix) -> int:
    """Combinations of solver, corrector, guidance, options, grid and budget."""
    guidance = matrix.guidance if item.guidance is None else item.guidance
    added = _total(item.correctors) * _total(guidance) * len(item.denoising)
    samplers = item.solver.count * added
    if item.ladder:
        return samplers
    grids = matrix.grids if item.grids is None else item.grids
    return samplers * _total(grids) * len(matrix.suite.config.nfe)


def _total(items: Iterable[PluginChoices | None]) -> int:
    return sum(1 if item is None else item.count for item in items)
