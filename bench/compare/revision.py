"""Results as they stood at a git revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core.errors import BenchError

BASELINE = "results/baseline"
"""Folder that a bare revision stands for."""


@contextmanager
def check_out(name: str) -> Iterator[Path]:
    """A temporary folder with the files of ``REV`` or ``REV:PATH``; the work tree is left alone.

    Raises:
        BenchError: no such file, no such revision, or no such folder at that revision.
    """
    revision, colon, path = name.partition(":")
    path = path.rstrip("/") if colon and path else BASELINE
    top = _git(name, "rev-parse", "--show-toplevel").decode().strip()
    # `--` and `--end-of-options`: a name that begins with a hyphen must not become an option.
    commit = _git(
        name, "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"
    )
    try:
        content = _git(
            name, "-C", top, "archive", "--format=tar", commit.decode().strip(), "--", path
        )
    except BenchError:
        raise BenchError(
            f"{name}: revision '{revision}' has no {path}; commit one there (`bench baseline "
            "update`), or name another as REV:PATH"
        ) from None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder) / path


def _git(name: str, *arguments: str) -> bytes:
    unknown = BenchError(
        f"{name}: there is no such folder, nor a git revision of that name here; name the folder "
        "of a run (results/quick), REV or REV:PATH"
    )
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except (OSError, ValueError):
        raise unknown from None
    if done.returncode:
        raise unknown
    return done.stdout
