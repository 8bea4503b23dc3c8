"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.core.errors import BenchError

CACHE_REMEDY = "make room, or set BENCH_CACHE to another folder"
"""The remedy of a file of the cache that cannot be written."""


@contextmanager
def atomic_write(path: Path, remedy: str = CACHE_REMEDY) -> Iterator[Path]:
    """Give a temporary path beside ``path``, which its file replaces at the end: all or nothing.

    A reader, or a crash, never sees half a file.

    Args:
        path: the file; its folder is made where there is none.
        remedy: what the user can do where it cannot be written.

    Raises:
        BenchError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error, remedy) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def atomic_write_bytes(path: Path, content: bytes, remedy: str = CACHE_REMEDY) -> None:
    """Write ``content`` to ``path``, all of it or nothing; raises as ``atomic_write``."""
    with atomic_write(path, remedy) as temporary:
        temporary.write_bytes(content)


def unwritable(path: Path, error: OSError, remedy: str = CACHE_REMEDY) -> BenchError:
    """Return the error of a file that cannot be written."""
    return BenchError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")
