"""The work of a worker process: it starts, runs cells, and notes what they changed of its state."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from bench.core.arithmetic import tf32
from bench.registry import registry_of
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.rows import CellResult
from bench.state import undo_changes

_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class WorkerSetup:
    """The settings that a worker starts with.

    Attributes:
        threads: CPU threads of torch.
        log: file for what it prints.
        environment: of the command, since the server that workers are copied from may be older.
    """

    threads: int
    log: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class WorkerResult:
    """A cell's result, and whether its process is fit for another cell."""

    result: CellResult
    fit: bool


def start(setup: WorkerSetup) -> None:
    """Set up a worker: its environment, its threads, and its output into the log."""
    os.environ.clear()
    os.environ.update(setup.environment)
    descriptor = os.open(setup.log, _LOG, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(setup.threads)
    with tf32(False):  # states what was left to a default, so that cells find it as they leave it
        pass


def work(cell: Cell, machine: Machine, with_paths: bool = True) -> WorkerResult:
    """Run one cell; what it changed of the process's state is undone and noted in its rows."""
    imported = registry_of(spec.source for spec in cell.plugins).meddling
    with undo_changes() as changes:
        result = _run(cell, machine, with_paths)
    if machine.kind == "cuda":
        torch.cuda.empty_cache()  # for the worker that comes next
    notes = [f"importing '{item.entry_point}' changed: {item.changed}" for item in imported]
    if changes.found:
        notes.append(f"the cell changed the state of its process: {changes.summary}")
    return WorkerResult(_with_notes(result, notes), fit=not changes.found)


def work_once(setup: WorkerSetup, cell: Cell, machine: Machine, with_paths: bool) -> CellResult:
    """Run one cell in a process that ends with it."""
    start(setup)
    return work(cell, machine, with_paths).result


def _run(cell: Cell, machine: Machine, with_paths: bool) -> CellResult:
    # Workers ignore Ctrl-C, so that this one is a plugin's; raised here it would end the run.
    try:
        return run_cell(cell, machine, with_paths)
    except (KeyboardInterrupt, GeneratorExit) as error:
        raise RuntimeError(f"the cell raised {type(error).__name__}") from None


def _with_notes(result: CellResult, notes: list[str]) -> CellResult:
    rows = [
        {**row, "note": "; ".join(filter(None, [str(row["note"]), *notes]))} for row in result.rows
    ]
    return replace(result, rows=rows)


def _end_with_parent() -> None:
    """A killed `bench run` must not leave a worker behind that computes for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
