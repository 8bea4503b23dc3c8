"""From the matrices of a file to cells, with every plugin built before anything runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.config.count import MAX_CELLS, check_count
from bench.config.every import named_solvers
from bench.config.load import Config, Suite
from bench.config.matrix import Matrix, Optional, PluginChoices, SamplerChoices
from bench.core.denoising import Denoising
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
    named = named_solvers(config)
    matrices = [Matrix.of(suite, registry, named) for suite in config.suites]
    check_count(matrices, max_cells)
    cells: dict[str, Cell] = {}
    for matrix in matrices:
        for cell in _cells(config.name, matrix, device_kind):
            cells[cell.key] = cell
    return tuple(cells.values())


def _cells(run: str, matrix: Matrix, device_kind: str) -> Iterator[Cell]:
    suite, config = matrix.suite, matrix.suite.config
    models = _specs(suite, matrix.models)
    tasks = _optional(suite, matrix.tasks)
    processes = _specs(suite, matrix.processes)
    grids = _specs(suite, matrix.grids)
    metrics = _specs(suite, matrix.metrics)
    guidance = _optional(suite, matrix.guidance)
    samplers = [s for item in matrix.samplers for s in _samplers(suite, item, grids, guidance)]
    protocol, core = config.protocol, core_hash()
    for model, task, process, sampler, seed in itertools.product(
        models, tasks, processes, samplers, config.seeds
    ):
        for grid, budget in sampler.points(config.nfe):
            yield Cell(
                run=run,
                suite=suite.name,
                model=model,
                task=task,
                process=process,
                grid=grid,
                solver=sampler.solver,
                corrector=sampler.corrector,
                guidance=sampler.guidance,
                denoising=sampler.denoising,
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
    guidance: PluginSpec | None
    denoising: Denoising
    ladder: str
    grids: tuple[PluginSpec, ...]

    def points(
        self, budgets: Iterable[int]
    ) -> Iterable[tuple[PluginSpec, int] | tuple[None, None]]:
        """Its grids and budgets; an adaptive solver has neither."""
        return [(None, None)] if self.ladder else itertools.product(self.grids, budgets)


def _samplers(
    suite: Suite,
    item: SamplerChoices,
    grids: tuple[PluginSpec, ...],
    guidance: Sequence[PluginSpec | None],
) -> Iterator[_SamplerSpec]:
    correctors = _optional(suite, item.correctors)
    grids = grids if item.grids is None else _specs(suite, item.grids)
    guidance = guidance if item.guidance is None else _optional(suite, item.guidance)
    for solver, corrector, guide, denoising in itertools.product(
        _build(suite, item.solver), correctors, guidance, item.denoising
    ):
        yield _SamplerSpec(solver, corrector, guide, denoising, item.ladder, grids)


def _optional(suite: Suite, items: Optional) -> list[PluginSpec | None]:
    specs: list[PluginSpec | None] = []
    for item in items:
        specs += [None] if item is None else _build(suite, item)
    return specs


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
