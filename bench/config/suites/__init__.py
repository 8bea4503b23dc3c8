"""The suites that the package ships: `bench run NAME`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from bench.core.errors import BenchError


def names() -> list[str]:
    """Their names, in alphabetical order."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def descriptions() -> str:
    """A line for each: its name, and the first line of its file."""
    width = max(map(len, names()))
    return "\n".join(f"    {name:{width}}  {_first_line(name)}" for name in names())


def _first_line(name: str) -> str:
    with (_folder() / f"{name}.yaml").open(encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip()


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
