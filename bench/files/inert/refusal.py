"""Errors of files that are not read."""

from __future__ import annotations

from pathlib import Path

from bench.core.errors import BenchError


class Refused(Exception):  # noqa: N818 - caught here and turned into a BenchError
    """A file holds what it must not; the message says what."""


def forbidden_error(path: Path, cause: str) -> BenchError:
    """The error of a file that tries to run code, or holds objects that are no weights."""
    return BenchError(
        f"{path}: refused, and nothing in it was run: {cause}; get the file from its authors "
        "again, or ask for safetensors (see docs/checkpoints.md)"
    )


def damaged_error(path: Path, cause: str) -> BenchError:
    """The error of a file that is cut off or of another kind."""
    return BenchError(
        f"{path}: damaged, or not the kind of file that its name says: {cause}; fetch it again "
        "and compare its sha256"
    )


def read(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BenchError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no file name at all, such as "\0"
        reason = error.strerror if isinstance(error, OSError) else error
        raise BenchError(
            f"{path}: cannot be read ({reason}); check the path, or fetch the checkpoint and put "
            "it there"
        ) from None
