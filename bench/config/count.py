"""How many cells a file makes, counted before any is: lists multiply."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.config.load import Config, Suite
from bench.core.errors import BenchError
from bench.core.plugin import Plugin
from bench.core.solver import Adaptive
from bench.registry import Entry, Kind, Registry

MAX_CELLS = 50_000
"""Cells that a file may make unless more are asked for: half a minute of planning."""

METRICS = 10
"""Metrics of a cell at which the largest number of cells may be reached; more weigh as more."""

Values = Callable[[type[Plugin], str, Any], Sequence[Any]]


@dataclass(frozen=True)
class Count:
    """What a suite multiplies: ``points`` are samplers with their grids and budgets."""

    models: int
    processes: int
    points: int
    seeds: int
    metrics: int

    @property
    def cells(self) -> int:
        """Cells, those alike counted as often as they stand there."""
        return self.models * self.processes * self.points * self.seeds

    def __str__(self) -> str:
        return (
            f"models {self.models:,} x processes {self.processes:,} x samplers, grids and budgets "
            f"{self.points:,} x seeds {self.seeds:,}"
        )


def check_count(config: Config, registry: Registry, values: Values, most: int) -> None:
    """Refuse a file that makes too many cells.

    Args:
        config: the file.
        registry: of all plugins.
        values: the values that one parameter takes, one after another.
        most: the largest number of cells.

    Raises:
        BenchError: says how many, in which suite, and how to allow them.
    """
    total = 0
    for suite in config.suites:
        count = _Counter(suite, registry, values).count()
        if count.cells > most:
            raise suite.error((), f"makes {count.cells:,} cells ({count}), {_remedy(count, most)}")
        if count.cells * count.metrics > most * METRICS:
            raise suite.error(
                ("metrics",),
                f"makes {count.cells * count.metrics:,} numbers ({count.metrics:,} metrics in each "
                f"of {count.cells:,} cells), more than {most * METRICS:,}; shorten a list, or "
                f"allow them with --max-cells {-(-count.cells * count.metrics // METRICS)}",
            )
        total += count.cells
    if total > most:
        raise BenchError(
            f"{config.suites[-1].document.path}: makes {total:,} cells in {len(config.suites)} "
            f"suites, more than {most:,}; run them apart, or allow them with --max-cells {total}"
        )


def _remedy(count: Count, most: int) -> str:
    return f"more than {most:,}; shorten a list, or allow them with --max-cells {count.cells}"


@dataclass(frozen=True)
class _Counter:
    suite: Suite
    registry: Registry
    values: Values

    def count(self) -> Count:
        config = self.suite.config
        grids = self._all(config.grids, Kind.GRID)
        return Count(
            models=self._all(config.models, Kind.MODEL),
            processes=self._all(config.processes, Kind.PROCESS),
            points=sum(self._points(item, grids) for item in config.solvers),
            seeds=len(config.seeds),
            metrics=self._all(config.metrics, Kind.METRIC),
        )

    def _all(self, items: object, *kinds: Kind) -> int:
        """Of a list; what is no list stands for itself."""
        each = items if isinstance(items, list) else [items]
        return sum(self._size(*self._known(item, kinds)) for item in each)

    def _points(self, item: Any, grids: int) -> int:
        """Points of one entry of ``solvers:``."""
        entry, params = self._known(item, (Kind.PREDICTOR, Kind.ODE_SOLVER))
        correctors = self._all(params.pop("corrector", None), Kind.CORRECTOR)
        own = params.pop("grids", None)
        samplers = self._size(entry, params) * correctors
        if entry is not None and issubclass(entry.cls, Adaptive):
            return samplers
        on = grids if own is None else self._all(own, Kind.GRID)
        return samplers * on * max(1, len(self.suite.config.nfe))

    def _known(self, item: Any, kinds: Sequence[Kind]) -> tuple[Entry | None, dict[str, Any]]:
        """The plugin and its parameters; None for what the plan will refuse, at its place."""
        name, params = (item.get("name"), item) if isinstance(item, dict) else (item, {})
        others = {key: value for key, value in params.items() if key != "name"}
        try:
            return self.registry.get(name, *kinds) if isinstance(name, str) else None, others
        except BenchError:
            return None, others

    def _size(self, entry: Entry | None, params: dict[str, Any]) -> int:
        """How many plugins its lists of values make."""
        if entry is None:
            return 1
        return math.prod(len(self.values(entry.cls, key, value)) for key, value in params.items())
