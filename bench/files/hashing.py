"""Hashes of files, remembered until a file changes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content; a file that did not change since is not read again.

    Raises:
        OSError: it cannot be read.
    """
    stat = path.stat()
    return _sha256(path.absolute(), stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=1 << 16)  # a folder of images is hashed file by file
def _sha256(path: Path, size: int, changed: int, inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
