"""Folders from strangers: what lies in them must not lead out of them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from bench.core.errors import BenchError


def refuse_links(folder: Path, dangling: bool = True) -> None:
    """Refuse a folder that is written to where an entry of it is a symbolic link.

    The folder itself may be one.

    Args:
        folder: whose entries are looked at, not those of folders in it.
        dangling: refuse links that lead nowhere, too.

    Raises:
        BenchError: names the link.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and (dangling or os.path.exists(entry.path)):
                raise BenchError(
                    f"{entry.path}: is a link, through which other files would be overwritten; "
                    "remove it, or name another folder"
                )
