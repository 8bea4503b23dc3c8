"""From the matrices of a file to cells, with every plugin built before anything runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.config.count import MAX_CELLS, check_count
from bench.config.every import expand_every
from bench.config.load import Config, Suite
from bench.config.matrix import Matrix, PluginChoices, SamplerChoices
from bench.core.errors import BenchError
from bench.identity.host import core_hash
from bench.registry import ParameterError, Registry, build, guard_state
from bench.run.cell import Cell
from bench.run.required_files import read_outside
from bench.run.spec import PluginSpec


def make_plan(
    config: Config, registry: Registry, device_kind: str, max_cells: int = MAX_CELLS
) -> tuple[Cell, ...]:
    """All cells of the configuration, in its order, each once.

    Raises:
        BenchError: an unknown plugin, a bad parameter, a suite without budgets, too many cells.
    """
    suites = expand_every(config, registry).suites
    matrices = [Matrix.of(suite, registry) for suite in suites]
    check_count(matrices, max_cells)
    cells: dict[str, Cell] = {}
    for matrix in matrices:
        for cell in _cells(config.name, matrix, device_kind):
            cells[cell.key] = cell
    return tuple(cells.values())


def _cells(run: str, matrix: Matrix, device_kind: str) -> Iterator[Cell]:
    suite, config = matrix.suite, matrix.suite.config
    models = _specs(suite, matrix.models)
    processes = _specs(suite, matrix.processes)
    grids = _specs(suite, matrix.grids)
    metrics = _specs(suite, matrix.metrics)
    samplers = [sampler for item in matrix.samplers for sampler in _samplers(suite, item, grids)]
    protocol, core = config.protocol, core_hash()
    for model, process, sampler, seed in itertools.product(
        models, processes, samplers, config.seeds
    ):
        for grid, budget in sampler.points(config.nfe):
            yield Cell(
                run=run,
                suite=suite.name,
                model=model,
                process=process,
                grid=grid,
                solver=sampler.solver,
                corrector=sampler.corrector,
                ladder=sampler.ladder,
                budget=budget,
                seed=seed,
                metrics=metrics,
                protocol=protocol,
                device_kind=device_kind,
                core=core,
                timeout=config.timeout,
            )


@dataclass(frozen=True)
class _SamplerSpec:
    solver: PluginSpec
    corrector: PluginSpec | None
    ladder: str
    grids: tuple[PluginSpec, ...]

    def points(
        self, budgets: Iterable[int]
    ) -> Iterable[tuple[PluginSpec, int] | tuple[None, None]]:
        """Its grids and budgets; an adaptive solver has neither."""
        return [(None, None)] if self.ladder else itertools.product(self.grids, budgets)


def _samplers(
    suite: Suite, item: SamplerChoices, grids: tuple[PluginSpec, ...]
) -> Iterator[_SamplerSpec]:
    correctors: list[PluginSpec | None] = []
    for choices in item.correctors:
        correctors += [None] if choices is None else _build(suite, choices)
    grids = grids if item.grids is None else _specs(suite, item.grids)
    for solver, corrector in itertools.product(_build(suite, item.solver), correctors):
        yield _SamplerSpec(solver, corrector, item.ladder, grids)


def _specs(suite: Suite, items: Iterable[PluginChoices]) -> tuple[PluginSpec, ...]:
    return tuple(spec for item in items for spec in _build(suite, item))


def _build(suite: Suite, item: PluginChoices) -> list[PluginSpec]:
    """Build one plugin for each combination of parameters; keep its specification."""
    entry, specs = item.entry, []
    for params in item.combinations():
        try:
            with guard_state(entry.source.distribution):
                plugin = build(entry.cls, params)
                specs.append(PluginSpec.of(entry, plugin, read_outside(plugin)))
        except ParameterError as error:
            where = tuple(int(x) if x.isdecimal() else x for x in error.key.split(".") if x)
            raise suite.error((*item.place, *where), error.message) from None
        except BenchError as error:
            raise suite.error(item.place, str(error)) from None
        except Exception as error:  # of the plugin's own checks
            raise suite.error(
                item.place,
                f"plugin '{entry.name}' of '{entry.source.distribution}' cannot be built: "
                f"{type(error).__name__}: {error}",
            ) from None
    return specs
