"""Seals: files of results that show whether they are whole, and whose they are.

Each carries one seal, in whatever its format has for remarks (metadata of Parquet and safetensors,
a field of JSON, the comment of a zip, bytes behind an array):

    scorebench-seal:PLACE:SHA256

PLACE is what the file is in its run, such as ``cells/KEY``; SHA256 is of the whole file, with 64
zeros in the place of itself. A reader checks both before anything is parsed. So a file in which a
bit has changed, that was cut, or that lies under another's name is seen; and other programs read
the files as ever.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from urllib.parse import quote, unquote

from bench.core.errors import BenchError
from bench.results.schema import SCHEMA_VERSION

MARK = b"scorebench-seal:"

LIMIT = 1 << 30
"""Bytes of the largest file that is read whole; a file of one cell has some thousand."""

LARGE = 1 << 34
"""The same for files of a whole run."""

AGAIN = "run again (damaged files are set aside and made anew), or delete it and run again"
"""The remedy of a file of a run that cannot be used."""

_ZEROS = b"0" * 64
_SEAL = re.compile(re.escape(MARK) + rb"([\w./%~-]{1,900}):([0-9a-f]{64})")
_VERSION = re.compile(rb'(?:scorebench_schema_version[^0-9]{1,4}|"schema": ?)([0-9]{1,4})(?![0-9])')


class DamagedError(BenchError):
    """A file of results that must not be used: damaged, of another place, or none at all.

    Attributes:
        path: the file.
        why: what is wrong with it.
    """

    def __init__(self, path: Path, why: str, remedy: str = AGAIN) -> None:
        super().__init__(path, why, remedy)
        self.path, self.why = path, why

    def __str__(self) -> str:
        path, why, remedy = self.args
        return f"{show(path)}: {why}; {remedy}"


class OldError(DamagedError):
    """A file of another version, such as the first, which had no seals."""


def other_version(version: object) -> str:
    """Say what is wrong with a file of another version."""
    return f"schema version {version}, this program reads {SCHEMA_VERSION}"


def show(path: Path | str) -> str:
    """Return a path for people: what cannot be printed, or moves the cursor, is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


def blank(place: str) -> bytes:
    """Return the seal that a file is to be written with, before ``fill`` completes it."""
    return MARK + quote(place).encode() + b":" + _ZEROS


def fill(content: bytes) -> bytes:
    """Return the content of a file with its ``blank`` seal filled in."""
    found = _find(content)
    if found is None or found[2] != _ZEROS:
        raise ValueError("a file is sealed once, and has one blank seal")
    digest = hashlib.sha256(content).hexdigest().encode()
    return content[: found.start(2)] + digest + content[found.end(2) :]


def _find(content: bytes) -> re.Match[bytes] | None:
    return _SEAL.match(content, max(content.rfind(MARK), 0))


def read(path: Path, place: str, limit: int = LIMIT) -> bytes:
    """Read a sealed file and verify it.

    Args:
        path: the file.
        place: what it must be, such as ``cells/KEY``.
        limit: the most bytes that such a file can have.

    Raises:
        FileNotFoundError, NotADirectoryError: there is none.
        OldError: another version wrote it.
        DamagedError: it is damaged, of another place, no file, or cannot be read.
    """
    content = read_whole(path, limit)
    verify(content, path, place)
    return content


def verify(content: bytes, path: Path, place: str) -> None:
    """Hold the content of a file against its seal; raises as ``read``."""
    found = _find(content)
    if found is None:
        raise _seal_error(path, content)
    blanked = content[: found.start(2)] + _ZEROS + content[found.end(2) :]
    if hashlib.sha256(blanked).hexdigest().encode() != found[2]:
        raise DamagedError(path, "is damaged (its checksum does not hold)")
    own = unquote(found[1].decode())
    if own != place:
        raise DamagedError(path, f"is in the wrong place (it was written as {show(own)})")


def check(path: Path, place: str) -> DamagedError | None:
    """Return what is wrong with a file; None where nothing is, or there is none."""
    try:
        read(path, place)
    except DamagedError as error:
        return error
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None


def _seal_error(path: Path, content: bytes) -> DamagedError:
    version = _VERSION.search(content[-LIMIT:])
    if version and int(version[1]) != SCHEMA_VERSION:
        return OldError(path, other_version(int(version[1])))
    return DamagedError(path, "is damaged (it has no checksum)")


def read_whole(path: Path, limit: int) -> bytes:
    """Read all bytes of a regular file, not verified; a pipe without a writer cannot block it.

    Raises:
        FileNotFoundError, NotADirectoryError: there is none.
        DamagedError: it is no file, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        state = os.stat(path)
        if not stat.S_ISREG(state.st_mode):
            raise DamagedError(path, f"is {_kind(state.st_mode)}, and no file of results")
        if state.st_size > limit:
            raise DamagedError(path, f"is damaged ({state.st_size} bytes are too many)")
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.lexists(path):
            raise
        raise DamagedError(path, "is a link to nothing") from None
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "out of memory"
        raise DamagedError(path, f"cannot be read ({reason})") from None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
