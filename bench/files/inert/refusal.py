"""Errors of files that are not read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


def first_cause(error: Exception) -> str:
    """The telling line of an error of torch's restricted loader."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "GLOBAL" in line or "nsupported" in line]
    return (telling or lines or [type(error).__name__])[0][:300]


@contextmanager
def guard_reading(path: Path) -> Iterator[None]:
    """Make one line of whatever a hostile file makes its reader stumble over.

    Raises:
        BenchError: something was `Refused`, or failed.
    """
    try:
        yield
    except Refused as refusal:
        raise forbidden_error(path, str(refusal)) from None
    except Exception as error:
        raise damaged_error(path, f"{type(error).__name__} {first_cause(error)}") from None


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
