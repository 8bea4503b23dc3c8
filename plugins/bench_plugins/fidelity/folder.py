"""The files below a folder, links followed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.api import BenchError
from bench_plugins.fidelity.listing import is_hidden


@dataclass(frozen=True)
class Found:
    """A file.

    Attributes:
        name: its path below the folder, with "/" between folders.
        path: where to read it.
        real: where it lies, without links.
    """

    name: str
    path: Path
    real: str


def files_below(folder: Path) -> dict[str, Path]:
    """All files of ``folder`` and the folders in it, linked ones too, by name.

    What is hidden is listed and not entered. A file that is reached in two ways would count twice,
    and be a mistake more often than not: it is refused, as is a loop.

    Raises:
        BenchError: a link leads nowhere, round in a loop, or to what was listed already; or a
            folder cannot be read.
    """
    known: dict[str, Found] = {}
    for found in _walk(folder, "", ()):
        before = known.setdefault(found.real, found)
        if before is not found and not is_hidden(found.name):
            raise BenchError(
                f"{found.path}: is the same file as {before.path}, by a link, and would count "
                "twice; remove one of the two (or copy it, if it shall)"
            )
    return {found.name: found.path for found in known.values()}


def _walk(folder: Path, prefix: str, above: tuple[str, ...]) -> Iterator[Found]:
    """The files of one folder and those in it; ``above``: the real places of those around it."""
    here = os.path.realpath(folder)
    if here in above:
        raise BenchError(f"{folder}: is a link to a folder around it, a loop; remove it")
    for entry in _entries(folder):
        name, path = prefix + entry.name, folder / entry.name
        real = os.path.realpath(path) if entry.is_symlink() else os.path.join(here, entry.name)
        if is_hidden(entry.name):
            yield Found(name, path, os.path.join(here, entry.name))
        elif _holds(entry.is_dir, path):
            yield from _walk(path, f"{name}/", (*above, here))
        elif _holds(entry.is_file, path):
            yield Found(name, path, real)
        else:
            what = "a link to nothing" if entry.is_symlink() else "neither a file nor a folder"
            raise BenchError(f"{path}: is {what}; mend or remove it")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise BenchError(f"{folder}: cannot be read ({error.strerror})") from None


def _holds(test: Callable[[], bool], path: Path) -> bool:
    try:
        return test()
    except OSError as error:  # such as a link to itself
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from None
