"""Plans a run, skips finished cells, runs the rest and stores each as it finishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.config.count import MAX_CELLS
from bench.config.load import load_config
from bench.core.denoising import PAPERS
from bench.core.errors import BenchError
from bench.files.links import refuse_links
from bench.files.supply import Supply
from bench.registry import WITHOUT, Registry
from bench.results.damage import LOG, set_aside
from bench.results.schema import Status
from bench.results.seal import DamagedError
from bench.results.store import Store
from bench.run.cell import Cell
from bench.run.machine import WorkerOptions, choose_device
from bench.run.plan import make_plan
from bench.run.pool import run_cells
from bench.run.required_files import missing_files
from bench.run.rows import CellResult
from bench.run.select import CellFilter
from bench.run.stored import inspect_results

FAULTS = (Status.FAILED, Status.DIVERGED, Status.TIMEOUT)
"""Statuses that make ``bench run`` exit with 1."""


@dataclass(frozen=True)
class Request:
    """The arguments of ``bench run`` that decide its plan."""

    file: Path
    results: Path
    only: tuple[str, ...] = ()
    device: str = "auto"
    max_cells: int = MAX_CELLS


@dataclass(frozen=True)
class Plan:
    """All cells of a file, the wanted ones, and those of them that have to run.

    Attributes:
        absent: published files that these need and this machine does not have; plan again once
            they are there.
        references: the papers of the plugins, by kind and name.
        damaged: files of the results that the run sets aside.
        old: wanted cells whose results are of another version of the format.
        bibtex: entries of the plugins that carry their own, by kind and name.
    """

    name: str
    store: Store
    device: str
    cells: tuple[Cell, ...]
    wanted: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    absent: tuple[Supply, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    damaged: tuple[DamagedError, ...] = ()
    old: int = 0
    bibtex: Mapping[str, str] = field(default_factory=dict)

    @property
    def doubts(self) -> tuple[str, ...]:
        """The plugins whose cells run again every time, and why: each once."""
        return tuple(dict.fromkeys(doubt for cell in self.wanted for doubt in cell.doubts))


class Observer(Protocol):
    """Follows a run, to draw the progress bar."""

    def cell_started(self, cell: Cell) -> None: ...
    def cell_finished(self, cell: Cell, result: CellResult) -> None: ...


@dataclass(frozen=True)
class RunOutcome:
    """The statuses of the wanted cells at the end of a run, with the reasons."""

    plan: Plan
    statuses: Sequence[tuple[Cell, Status, str]]

    @property
    def counts(self) -> Counter[str]:
        """Cells by status."""
        return Counter(status.value for _, status, _ in self.statuses)

    @property
    def faults(self) -> list[tuple[Cell, Status, str]]:
        """The cells that have no good result, with the reason."""
        return [item for item in self.statuses if item[1] in FAULTS]


def plan_run(request: Request, registry: Registry) -> Plan:
    """Plan without running.

    Raises:
        BenchError: bad input.
    """
    _refuse_lasting(registry)
    device = choose_device(request.device)
    config = load_config(request.file)
    cells = make_plan(config, registry, device.partition(":")[0], request.max_cells)
    accepts = CellFilter.parse(request.only).accepts
    wanted = tuple(cell for cell in cells if accepts(cell))
    store = Store(request.results / config.name)
    refuse_links(store.root, dangling=False)  # the others are damage, which is set aside
    stored = inspect_results(store, wanted)
    # A key that does not stand for all that a number rests on finds no number again.
    missing = tuple(cell for cell in wanted if cell.doubts or cell.key not in stored.finished)
    plugins = {
        f"{kind.value} {name}": registry.get(name, kind).cls
        for kind, name in dict.fromkeys((s.kind, s.name) for cell in cells for s in cell.plugins)
    }
    papers = {name: (cls.reference, cls.bibtex) for name, cls in plugins.items()}
    papers |= {f"denoising {o}": PAPERS[o] for cell in cells for o in cell.denoising.changed}
    return Plan(
        config.name,
        store,
        device,
        cells,
        wanted,
        missing,
        missing_files(missing, registry),
        {name: reference for name, (reference, _) in papers.items()},
        stored.damaged,
        stored.old,
        {name: bibtex for name, (_, bibtex) in papers.items() if bibtex},
    )


def _refuse_lasting(registry: Registry) -> None:
    """Refuse to run beside a plugin whose import changed what every worker would inherit."""
    for item in registry.meddling:
        if item.inherited:
            raise BenchError(
                f"importing plugin '{item.entry_point}' of '{item.distribution}' changed what "
                f"cannot be undone, and every cell would have it: {item.inherited}; set "
                f"{WITHOUT}={item.entry_point} to leave it out"
            )


def execute_plan(plan: Plan, options: WorkerOptions, observer: Observer) -> RunOutcome:
    """Set damaged files aside, run the missing cells and store each as it finishes.

    Raises:
        BenchError: results cannot be written, or files that are needed are not here; what was
            finished before is kept.
    """
    if plan.absent:
        raise BenchError(plan.absent[0].missing())
    store = plan.store
    set_aside(store.root, plan.damaged)
    store.write_plan(plan.name, [cell.key for cell in plan.cells])
    store.write_references(plan.references, plan.bibtex)
    if plan.missing:
        machine = options.on(plan.device, len(plan.missing))
        log = store.root / LOG
        for cell, result in run_cells(plan.missing, machine, log, observer.cell_started):
            store.write(cell.key, result.rows, result.samples, result.evidence, result.answers)
            if result.paths is not None:
                store.write_paths(result.paths)
            observer.cell_finished(cell, result)
        store.consolidate()
    rows = store.known([cell.key for cell in plan.wanted], ("status", "reason")).rows
    results = [(cell, CellResult(cell.key, rows.get(cell.key, ()))) for cell in plan.wanted]
    return RunOutcome(plan, [(cell, result.status, result.reason) for cell, result in results])
