"""The suites that the package ships: `bench run NAME`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from bench.core.errors import BenchError


def names() -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def resolve(file: Path) -> Path:
    """The file to read for what the user named: a file, else a suite that ships.

    Raises:
        BenchError: neither; a name without suffix is taken for that of a suite.
    """
    if file.exists() or file.suffix:
        return file
    if str(file) not in names():
        raise BenchError(
            f"{file}: there is no such file, nor a suite of that name; suites that ship: "
            f"{', '.join(names())}"
        )
    return _folder() / f"{file}.yaml"


def _folder() -> Path:
    return Path(str(files(__name__)))
