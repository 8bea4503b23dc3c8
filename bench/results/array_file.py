"""Arrays of numpy in files that carry a seal: one in a .npy file, several in an .npz file."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bench.core.errors import BenchError
from bench.results import seal

Array = npt.NDArray[Any]


def pack(array: Array, place: str) -> bytes:
    """Return the content of a .npy file; its seal stands behind the numbers, unread."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return seal.fill(buffer.getvalue() + b"\n" + seal.blank(place) + b"\n")


def pack_many(arrays: Mapping[str, Array], place: str) -> bytes:
    """Return the content of an .npz file; its seal is the comment of the archive."""
    buffer = io.BytesIO()
    cast(Any, np.savez_compressed)(buffer, **arrays)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = seal.blank(place)
    return seal.fill(buffer.getvalue())


def read(path: Path, place: str) -> Array:
    """Read the array of a .npy file.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        DamagedError: it is damaged, or of another place.
    """
    content = io.BytesIO(seal.read(path, place))
    return cast(Array, np.load(content, allow_pickle=False))


def read_kept(root: Path, key: str) -> dict[str, Array]:
    """Read what is kept of a cell to be looked at: ``samples`` and what they answer.

    Missing and damaged files are left out; the page names damaged ones.
    """
    found: dict[str, Array] = {}
    with contextlib.suppress(OSError, BenchError):
        found["samples"] = read(root / "samples" / f"{key}.npy", f"samples/{key}")
    with contextlib.suppress(OSError, BenchError):
        found |= read_many(root / "answers" / f"{key}.npz", f"answers/{key}")
    return found


def read_many(path: Path, place: str) -> dict[str, Array]:
    """Read the arrays of an .npz file; raises as ``read``."""
    with np.load(io.BytesIO(seal.read(path, place)), allow_pickle=False) as file:
        return {name: np.asarray(file[name]) for name in file.files}
