"""Worker processes: isolation, time limits, and a row for whatever kills a worker."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool, concurrent

from bench.registry import load_registry
from bench.results.schema import Status
from bench.run.cell import Cell
from bench.run.fresh import late_imports, runs_foreign_code
from bench.run.log import trim
from bench.run.machine import Machine
from bench.run.rows import CellResult, failure
from bench.run.spec import PluginSpec
from bench.run.worker import WorkerResult, WorkerSetup, start, work, work_once

_TRIM_LOG_S = 10.0

_PROGRAM = "bench.cli.main"
"""The main module of `bench`, which multiprocessing imports in every worker. It is named to the
server as text, for speed alone: nothing of a run rests on the command line."""


def run_cells(
    cells: Sequence[Cell], machine: Machine, log: Path, on_start: Callable[[Cell], None]
) -> Iterator[tuple[Cell, CellResult]]:
    """Run the cells in worker processes; yields each as it is done, in the order of finishing.

    A worker that dies or runs out of time costs its cell alone. What workers print goes to
    ``log`` (the end of it), so that a talkative plugin spoils neither the screen nor the disk.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)  # a link, too
    log.touch()  # of this run alone, so that it does not grow for ever
    waiting = iter(cells)
    running: dict[Future[Any], Cell] = {}
    drawn: set[tuple[PluginSpec, PluginSpec]] = set()
    with contextlib.closing(_Workers(machine, log, _context(cells))) as workers:

        def submit(cell: Cell) -> None:
            on_start(cell)
            running[workers.submit(cell, (cell.model, cell.process) not in drawn)] = cell

        # One cell per worker at a time, so that the clock of a time limit starts with the work.
        for cell in islice(waiting, machine.workers):
            submit(cell)
        while running:
            done, _ = wait(running, timeout=_TRIM_LOG_S, return_when=FIRST_COMPLETED)
            trim(log)
            for future in done:
                cell = running.pop(future)
                result = workers.result(future, cell)
                if result.paths is not None:
                    drawn.add((cell.model, cell.process))
                for following in islice(waiting, 1):
                    submit(following)
                yield cell, result


def _context(cells: Sequence[Cell]) -> Any:
    """The way that processes start: on Linux as copies of a server with torch (30 ms, not 5 s).

    The server is a process of its own, without any plugin but the host's.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    registry = load_registry()
    foreign = [cell for cell in cells if runs_foreign_code(cell, registry)]
    late = late_imports(foreign, registry)
    context.set_forkserver_preload([_PROGRAM, "bench.run.preload", *late])
    return context


@dataclass
class _Workers:
    """The processes of a run.

    Cells of the host's own plugins share workers, with loaded models and references. A cell that
    runs strangers' code has a process to itself: whatever it changes there ends with it.
    """

    machine: Machine
    log: Path
    context: Any
    pools: list[Any] = field(default_factory=list)
    processes: list[Future[Any]] = field(default_factory=list)

    def submit(self, cell: Cell, with_paths: bool) -> Future[Any]:
        """Start ``cell``, with the paths of its process or without."""
        if runs_foreign_code(cell, load_registry()):
            process: Any = concurrent.process  # its types lack `context`
            run = process(daemon=False, timeout=cell.timeout, context=self.context)(work_once)
            future: Future[Any] = run(self._setup(), cell, self.machine, with_paths)
            self.processes = [*(f for f in self.processes if not f.done()), future]
            return future
        if not self.pools:
            self.pools.append(self._pool())
        shared: Future[Any] = self.pools[-1].schedule(
            work, args=[cell, self.machine, with_paths], timeout=cell.timeout
        )
        return shared

    def result(self, future: Future[Any], cell: Cell) -> CellResult:
        """The result of a cell whose process is done, or the rows that say why there is none."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            found = future.result()
        except TimeoutError:
            reason = f"took longer than {cell.timeout:g} s; raise `timeout` or lower the cost"
            return failure(cell, self.machine, Status.TIMEOUT, reason, now)
        except ProcessExpired as error:
            reason = f"the worker process died (exit code {error.exitcode}); see {self.log.name}"
            return failure(cell, self.machine, Status.FAILED, reason, now)
        except Exception as error:  # what could not be sent between processes
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
            return failure(cell, self.machine, Status.FAILED, reason, now)
        if not isinstance(found, WorkerResult):
            return found  # type: ignore[no-any-return]  # of a process that has ended
        if not found.fit:  # what it changed is undone, and no later cell shall rest on that
            self.pools.append(self._pool())
        return found.result

    def close(self) -> None:
        """End all processes."""
        for future in self.processes:
            future.cancel()
        for pool in self.pools:
            pool.stop()
        for pool in self.pools:
            pool.join(timeout=5)

    def _pool(self) -> Any:
        return ProcessPool(
            max_workers=self.machine.workers,
            context=self.context,
            initializer=start,
            initargs=(self._setup(),),
        )

    def _setup(self) -> WorkerSetup:
        return WorkerSetup(self.machine.threads, str(self.log), dict(os.environ))
