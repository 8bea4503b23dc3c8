"""Worker processes: isolation, time limits, and a row for whatever kills a worker."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.log import trim
from bench.run.machine import Machine
from bench.run.rows import CellResult, failure
from bench.run.schema import Status

_LOOK_S = 10.0


def run_cells(
    cells: Sequence[Cell], machine: Machine, log: Path, on_start: Callable[[Cell], None]
) -> Iterator[tuple[Cell, CellResult]]:
    """Run the cells in worker processes; yields each as it is done, in the order of finishing.

    A worker that dies or runs out of time costs its cell alone. What workers print goes to
    ``log`` (the end of it), so that a talkative plugin spoils neither the screen nor the disk.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")  # of this run alone, so that it does not grow for ever
    waiting = iter(cells)
    running: dict[Future[CellResult], Cell] = {}
    pool = ProcessPool(
        max_workers=machine.workers,
        context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(machine.threads, str(log)),
    )
    try:
        # One cell per worker at a time, so that the clock of a time limit starts with the work.
        for cell in _first(waiting, machine.workers):
            running[_submit(pool, cell, machine, on_start)] = cell
        while running:
            done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            trim(log)
            for future in done:
                cell = running.pop(future)
                for following in _first(waiting, 1):
                    running[_submit(pool, following, machine, on_start)] = following
                yield cell, _outcome(future, cell, machine, log)
        pool.close()
    finally:
        pool.stop()
        pool.join(timeout=5)


def _first(items: Iterator[Cell], count: int) -> list[Cell]:
    return [item for _, item in zip(range(count), items, strict=False)]


def _submit(
    pool: Any, cell: Cell, machine: Machine, on_start: Callable[[Cell], None]
) -> Future[CellResult]:
    on_start(cell)
    future: Future[CellResult] = pool.schedule(_work, args=[cell, machine], timeout=cell.timeout)
    return future


def _work(cell: Cell, machine: Machine) -> CellResult:
    # Workers ignore Ctrl-C, so that this one is a plugin's; raised here it would end the run.
    try:
        return run_cell(cell, machine)
    except (KeyboardInterrupt, GeneratorExit) as error:
        raise RuntimeError(f"the cell raised {type(error).__name__}") from None


def _outcome(future: Future[CellResult], cell: Cell, machine: Machine, log: Path) -> CellResult:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        return future.result()
    except TimeoutError:
        reason = f"took longer than {cell.timeout:g} s; raise `timeout` or lower the cost"
        return failure(cell, machine, Status.TIMEOUT, reason, now)
    except ProcessExpired as error:
        reason = f"the worker process died (exit code {error.exitcode}); see {log.name}"
        return failure(cell, machine, Status.FAILED, reason, now)
    except Exception as error:  # what could not be sent between processes
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        return failure(cell, machine, Status.FAILED, reason, now)


def _start_worker(threads: int, log: str) -> None:
    """Set up a worker: its threads, and its output into the log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(threads)


def _end_with_parent() -> None:
    """A killed `bench run` must not leave a worker behind that computes for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
