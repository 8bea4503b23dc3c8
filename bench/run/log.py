"""Keeps the file of what workers print from growing for ever."""

from __future__ import annotations

import contextlib
from pathlib import Path

LARGEST = 10 << 20
"""Bytes at which the file loses its beginning."""

_LINE = 4096


def trim(log: Path, largest: int = LARGEST) -> None:
    """Keep the last half of ``largest`` bytes of a file that has more.

    The file stays the same one: workers hold it open, and append to it. What they write in the
    very moment may be lost.
    """
    with contextlib.suppress(OSError):  # a log is no reason to end a run
        if log.stat().st_size <= largest:
            return
        with log.open("rb") as file:
            file.seek(-(largest // 2), 2)
            rest = file.read()
        with log.open("ab") as file:
            file.truncate(0)
            whole = rest.find(b"\n", 0, _LINE) + 1  # a line without end is kept from the middle
            file.write(b"[earlier output was dropped]\n" + rest[whole:])
