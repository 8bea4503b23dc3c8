"""Checks in a worker process: a plugin that hangs, dies or prints costs itself alone."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pebble import ProcessExpired, ProcessPool

from bench.core.errors import BenchError
from bench.registry import Entry, Kind, load_registry
from bench.state import undo_changes
from bench.testing.conformance.finding import Conformity, Finding
from bench.testing.conformance.suite import CHECKS, carry_out

QUIET = 10_000
"""Bytes of output that a plugin may write during one check: a warning or two."""


def check_entries(entries: Sequence[Entry], timeout: float) -> Iterator[Finding]:
    """Every check of every entry, each within ``timeout`` seconds."""
    with _output_file() as output:
        pool = ProcessPool(
            max_workers=1,
            context=_context(),
            initializer=_start_worker,
            initargs=(output,),
        )
        try:
            _warm_up(pool)
            for entry in entries:
                yield from _all_of(pool, entry, timeout, output)
        finally:
            pool.stop()
            pool.join(timeout=5)


def _context() -> Any:
    """The start of the worker: on Linux as a copy of a server that has imported torch and the kit.

    A worker that a plugin took with it is then replaced in a moment.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.run.preload", "bench.testing.conformance.suite"])
    return context


@contextmanager
def _output_file() -> Iterator[str]:
    """An empty file for what the worker prints."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="bench-check-")
    except OSError as error:
        raise BenchError(
            f"no temporary folder can be made ({error.strerror}); free space, or set TMPDIR to a "
            "folder that can be written"
        ) from None
    with folder as name:
        path = os.path.join(name, "output")
        open(path, "wb").close()
        yield path


def _all_of(pool: Any, entry: Entry, timeout: float, output: str) -> Iterator[Finding]:
    ended_by = ""
    for check in CHECKS[entry.kind]:
        if ended_by:
            reason = f"not tried: '{ended_by}' took the process with it"
            kind, verdict = entry.kind.value, Conformity.SKIPPED
            yield Finding(entry.name, kind, check.name, verdict, seen=reason)
            continue
        finding, alive = _one(pool, entry, check.name, timeout, output)
        ended_by = "" if alive else check.name
        yield finding


def _warm_up(pool: Any) -> None:
    """Imports are not on the clock of the first check."""
    pool.schedule(_import_plugins).result()


def _one(pool: Any, entry: Entry, check: str, timeout: float, output: str) -> tuple[Finding, bool]:
    """The finding, and whether the worker survived it."""
    before = os.path.getsize(output)
    failed = Finding(entry.name, entry.kind.value, check, Conformity.FAILED)
    try:
        args = [entry.name, entry.kind.value, entry.source.distribution, check]
        finding: Finding = pool.schedule(_work, args=args, timeout=timeout).result()
    except TimeoutError:
        late = replace(
            failed,
            expected=f"an end within {timeout:g} s",
            seen="the check was still running",
            remedy="look for a loop that does not end; allow more with --timeout if it is slow",
        )
        return late, False
    except ProcessExpired as error:
        dead = replace(
            failed,
            expected="the process lives on",
            seen=f"it died (exit code {error.exitcode})",
            remedy="call no os._exit, raise exceptions; look for crashes in compiled code",
        )
        return dead, False
    except Exception as error:  # what could not be sent between processes
        seen = f"{type(error).__name__}: {error}"
        remedy = "raise plain exceptions such as ValueError or bench.api.BenchError"
        return replace(failed, expected="no exception", seen=seen, remedy=remedy), True
    written = os.path.getsize(output) - before
    if finding.verdict is Conformity.FAILED or written <= QUIET:
        return finding, True
    loud = replace(
        failed,
        expected="silence",
        seen=f"{written:,} bytes on standard output and error, beginning "
        f"{_beginning(output, before)!r}",
        remedy="print nothing; raise bench.api.BenchError to tell the user something",
    )
    return loud, True


def _beginning(path: str, start: int) -> str:
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(80).decode(errors="replace").lstrip()[:40]


def _start_worker(output: str) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    import torch

    torch.set_num_threads(1)


def _import_plugins() -> None:
    load_registry()


def _work(name: str, kind: str, distribution: str, check: str) -> Finding:
    (entry,) = (
        item
        for item in load_registry().of(Kind(kind))
        if item.name == name and item.source.distribution == distribution
    )
    try:
        with undo_changes():  # for the checks that follow; `state` is the one that tells
            return carry_out(entry, check)
    except (KeyboardInterrupt, GeneratorExit) as error:  # of the plugin; it would end the worker
        raise RuntimeError(f"the plugin raised {type(error).__name__}") from None
