"""The folder where downloaded weights and computed statistics lie."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock

from bench.core.errors import BenchError


def cache_folder() -> Path:
    """BENCH_CACHE, or the platform's cache folder of the user (~/.cache/scorebench on Linux)."""
    chosen = os.environ.get("BENCH_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("scorebench")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place at the end: all of it or nothing.

    Raises:
        BenchError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:16]}-")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """One process at a time makes ``path``; the others wait, and find it made.

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


def unwritable(path: Path, error: OSError) -> BenchError:
    """What to tell of a file that cannot be written."""
    return BenchError(
        f"{path}: cannot be written ({error.strerror or error}); make room, or set BENCH_CACHE to "
        "another folder"
    )
