"""From configuration to cells: the matrix, with every plugin checked before anything runs."""

from __future__ import annotations

import itertools
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, cast, get_origin

from bench.config.count import MAX_CELLS, check_count
from bench.config.document import Path_
from bench.config.load import Config, Suite
from bench.core.errors import BenchError
from bench.core.plugin import Plugin
from bench.core.solver import Adaptive
from bench.identity.host import core_hash
from bench.registry import (
    Entry,
    Kind,
    ParameterError,
    Registry,
    build,
    guard_state,
    parameters,
)
from bench.run.cell import Cell, PluginSpec, canonical
from bench.run.supplies import outside


@dataclass(frozen=True)
class _SolverChoice:
    """One entry of ``solvers:``, with one choice of its parameters."""

    solver: PluginSpec
    corrector: PluginSpec | None
    ladder: str
    grids: tuple[PluginSpec, ...] | None


def make_plan(
    config: Config, registry: Registry, device_kind: str, max_cells: int = MAX_CELLS
) -> tuple[Cell, ...]:
    """All cells of the configuration, in its order, each once.

    Raises:
        BenchError: an unknown plugin, a bad parameter, a suite without budgets, too many cells.
    """
    check_count(config, registry, _values, max_cells)
    cells: dict[str, Cell] = {}
    for suite in config.suites:
        for cell in _Planner(config.name, suite, registry, device_kind).cells():
            cells[cell.key] = cell
    return tuple(cells.values())


@dataclass(frozen=True)
class _Planner:
    run: str
    suite: Suite
    registry: Registry
    device_kind: str
    core: str = field(default_factory=core_hash)

    def cells(self) -> Iterator[Cell]:
        config = self.suite.config
        models = self._specs("models", config.models, Kind.MODEL)
        processes = self._specs("processes", config.processes, Kind.PROCESS)
        grids = self._specs("grids", config.grids, Kind.GRID)
        metrics = self._specs("metrics", config.metrics, Kind.METRIC)
        choices = self._choices()
        protocol = canonical(config.protocol().model_dump())
        for model, process, choice, seed in itertools.product(
            models, processes, choices, config.seeds
        ):
            for grid, budget in self._points(choice, grids):
                yield Cell(
                    run=self.run,
                    suite=self.suite.name,
                    model=model,
                    process=process,
                    grid=grid,
                    solver=choice.solver,
                    corrector=choice.corrector,
                    ladder=choice.ladder,
                    budget=budget,
                    seed=seed,
                    metrics=metrics,
                    protocol=protocol,
                    device_kind=self.device_kind,
                    core=self.core,
                    timeout=config.timeout,
                )

    def _points(
        self, choice: _SolverChoice, grids: Sequence[PluginSpec]
    ) -> Iterator[tuple[PluginSpec | None, int | None]]:
        if choice.ladder:
            return iter([(None, None)])
        if not self.suite.config.nfe:
            raise self.suite.error(
                (), f"'nfe' is missing: '{choice.solver.name}' needs budgets; add `nfe: [10, 20]`"
            )
        return itertools.product(choice.grids or grids, self.suite.config.nfe)

    def _choices(self) -> list[_SolverChoice]:
        choices: list[_SolverChoice] = []
        for i, item in enumerate(self.suite.config.solvers):
            place: Path_ = ("solvers", i)
            name, params = self._split(item, place)
            correctors = self._correctors(params.pop("corrector", None), (*place, "corrector"))
            grids = self._own_grids(params, (*place, "grids"))
            entry = self._entry(name, place, Kind.PREDICTOR, Kind.ODE_SOLVER)
            adaptive = issubclass(entry.cls, Adaptive)
            ladder = cast(type[Adaptive], entry.cls).ladder if adaptive else ""
            solvers = self._expand(entry, params, place)
            choices += [
                _SolverChoice(solver, corrector, ladder, grids)
                for solver, corrector in itertools.product(solvers, correctors)
            ]
        return choices

    def _correctors(self, item: Any, place: Path_) -> Sequence[PluginSpec | None]:
        if item == []:
            raise self.suite.error(place, "must not be empty; use null for none")
        items = item if isinstance(item, list) else [item]
        specs: list[PluginSpec | None] = []
        for i, value in enumerate(items):
            at = (*place, i) if isinstance(item, list) else place
            specs += [None] if value is None else self._refs(value, at, Kind.CORRECTOR)
        return specs

    def _own_grids(self, params: dict[str, Any], place: Path_) -> tuple[PluginSpec, ...] | None:
        if "grids" not in params:
            return None
        items = params.pop("grids")
        if not isinstance(items, list) or not items:
            raise self.suite.error(place, "must be a list of grids, such as `grids: [karras]`")
        return tuple(
            spec
            for i, item in enumerate(items)
            for spec in self._refs(item, (*place, i), Kind.GRID)
        )

    def _specs(self, key: str, items: Sequence[Any], kind: Kind) -> tuple[PluginSpec, ...]:
        return tuple(
            spec for i, item in enumerate(items) for spec in self._refs(item, (key, i), kind)
        )

    def _refs(self, item: Any, place: Path_, kind: Kind) -> list[PluginSpec]:
        name, params = self._split(item, place)
        return self._expand(self._entry(name, place, kind), params, place)

    def _split(self, item: Any, place: Path_) -> tuple[str, dict[str, Any]]:
        if isinstance(item, str):
            return item, {}
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            return item["name"], {k: v for k, v in item.items() if k != "name"}
        raise self.suite.error(
            place, "must be a plugin's name, or a mapping such as {name: karras, rho: 7}"
        )

    def _entry(self, name: str, place: Path_, *kinds: Kind) -> Entry:
        try:
            return self.registry.get(name, *kinds)
        except BenchError as error:
            raise self.suite.error(place, str(error)) from None

    def _expand(self, entry: Entry, params: Mapping[str, Any], place: Path_) -> list[PluginSpec]:
        """One specification for each combination of listed parameter values."""
        axes = [_values(entry.cls, key, value) for key, value in params.items()]
        specs = []
        for values in itertools.product(*axes):
            try:
                with guard_state(entry.source.distribution):
                    plugin = build(entry.cls, dict(zip(params, values, strict=True)))
                    specs.append(PluginSpec.of(entry, plugin, outside(plugin)))
            except ParameterError as error:
                where = tuple(int(x) if x.isdecimal() else x for x in error.key.split(".") if x)
                raise self.suite.error((*place, *where), error.message) from None
            except BenchError as error:
                raise self.suite.error(place, str(error)) from None
            except Exception as error:  # of the plugin's own checks
                raise self.suite.error(
                    place,
                    f"plugin '{entry.name}' of '{entry.source.distribution}' cannot be built: "
                    f"{type(error).__name__}: {error}",
                ) from None
        return specs


def _values(cls: type[Plugin], key: str, value: Any) -> list[Any]:
    """The values of one parameter: a list means several, unless the parameter is a list itself."""
    if not isinstance(value, list):
        return [value]
    hints = typing.get_type_hints(cls)
    takes_list = key in hints and any(
        get_origin(t) in (tuple, list) for t in (hints[key], *typing.get_args(hints[key]))
    )
    known = any(f.name == key for f in parameters(cls))
    if known and takes_list and not _nested_deeper(hints[key], value):
        return [value]
    return value or [value]


def _nested_deeper(hint: Any, value: list[Any]) -> bool:
    return False if value == [] else _depth(value) > _hint_depth(hint)


def _depth(value: Any) -> int:
    return 1 + max((_depth(v) for v in value), default=0) if isinstance(value, list) else 0


def _hint_depth(hint: Any) -> int:
    inner = max((_hint_depth(t) for t in typing.get_args(hint)), default=0)
    return inner + 1 if get_origin(hint) in (tuple, list) else inner


_FIELDS = ("suite", "model", "process", "grid", "solver", "corrector", "sampler", "nfe", "seed")


@dataclass(frozen=True)
class Filter:
    """``--only`` filters: a cell passes if, for each named field, one pattern fits."""

    patterns: Mapping[str, tuple[str, ...]]

    @staticmethod
    def parse(texts: Sequence[str]) -> Filter:
        """From ``field=pattern`` or a bare pattern, which is looked for in the cell's title.

        Raises:
            BenchError: an unknown field.
        """
        patterns: dict[str, tuple[str, ...]] = {}
        for text in texts:
            name, equals, pattern = text.partition("=")
            if not equals:
                name, pattern = "title", f"*{text}*"
            elif name not in _FIELDS:
                raise BenchError(
                    f"--only {text}: unknown field '{name}'; there are: {', '.join(_FIELDS)}"
                )
            patterns[name] = (*patterns.get(name, ()), pattern)
        return Filter(patterns)

    def accepts(self, cell: Cell) -> bool:
        """Whether the cell is wanted."""
        fields = _fields(cell)
        return all(
            any(fnmatchcase(fields[name], pattern) for pattern in patterns)
            for name, patterns in self.patterns.items()
        )


def _fields(cell: Cell) -> Mapping[str, str]:
    return {
        "title": cell.title,
        "suite": cell.suite,
        "model": cell.model.name,
        "process": cell.process.name,
        "grid": cell.grid.name if cell.grid else "",
        "solver": cell.solver.name,
        "corrector": cell.corrector.name if cell.corrector else "",
        "sampler": cell.sampler,
        "nfe": str(cell.budget or ""),
        "seed": str(cell.seed),
    }


def evaluations(cell: Cell) -> int | None:
    """Network evaluations that the samples of ``cell`` may cost; None for adaptive solvers."""
    if cell.budget is None:
        return None
    return cell.budget * int(json.loads(cell.protocol)["samples"])
