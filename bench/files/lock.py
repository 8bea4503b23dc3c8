"""Locks on files between processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from bench.files.atomic import unwritable


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Let one process at a time make ``path``; the others wait, and find it made.

    Raises:
        BenchError: the folder cannot be written.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield
    finally:
        lock.release()
