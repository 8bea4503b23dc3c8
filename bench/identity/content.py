"""Reads the files that are hashed together: a package with its data, a module, one in a zip."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.files.hashing import file_sha256

_SOURCE, _COMPILED = (".py", ".pyc"), (".so", ".pyd")
_NO_CODE = frozenset(
    {
        *("__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".idea", ".vscode"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".venv"),
    }
)
"""Folders in a package that tools keep for themselves."""

_LARGE = 1 << 22  # bytes; larger files are read again only when size or time of change differ


@dataclass(frozen=True)
class Unit:
    """Files that are hashed together.

    Attributes:
        name: dotted name of the package or module.
        place: the folder of a package, the file of a module, or the zip that holds either.
        member: the folder or file in the zip; "" outside of one.
    """

    name: str
    place: Path
    member: str = ""

    @property
    def file(self) -> PurePosixPath | None:
        """The name of its one file; None for a package, which is a folder."""
        name = PurePosixPath(self.member or self.place.name)
        single = name.suffix in (*_SOURCE, *_COMPILED)
        return name if single and (self.member or self.place.is_file()) else None


@dataclass(frozen=True)
class Code:
    """A module of a unit.

    Attributes:
        name, package: its dotted name, and that of its package ("" without one).
        source: its text; None where there is none to read.
        compiled: it has no source because it was compiled to an extension module.
    """

    name: str
    package: str
    source: bytes | None
    compiled: bool = False


@dataclass(frozen=True)
class Content:
    """The sha256 of each file of a unit, by its name in the unit, and the unit's modules."""

    digests: Mapping[str, str]
    modules: Mapping[str, Code]


def read_bytes(path: Path) -> bytes:
    """All of a small file. Everything that identity rests on is read here or by `digest`."""
    return path.read_bytes()


def digest(path: Path) -> str:
    """sha256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    if path.stat().st_size > _LARGE:
        return file_sha256(path)
    return hashlib.sha256(read_bytes(path)).hexdigest()


def content_of(unit: Unit) -> Content:
    """Read a unit.

    Raises:
        OSError: a file of it cannot be read, or is damaged.
    """
    digests: dict[str, str] = {}
    modules: dict[str, Code] = {}
    for name, content in _members(unit) if unit.member else _files(unit.place):
        if isinstance(content, Path):
            digests[name] = digest(content)
            source = None
        else:
            digests[name], source = hashlib.sha256(content).hexdigest(), content
        if code := _single(unit, source) if unit.file else _code(unit.name, name, source):
            # A module's source comes before what was compiled of it.
            known = modules.get(code.name)
            modules[code.name] = code if known is None or known.source is None else known
    return Content(digests, modules)


def _files(place: Path) -> Iterator[tuple[str, bytes | Path]]:
    """Name and content of each file; of files that are no Python source, where they are."""
    if not place.is_dir():
        yield place.name, read_bytes(place) if place.suffix == ".py" else place
        return
    seen = {place.resolve()}
    for folder, below, names in os.walk(place, followlinks=True):
        below[:] = [name for name in sorted(below) if name not in _NO_CODE]
        # Each folder once: links may lead in a circle.
        below[:] = [name for name in below if Path(folder, name).resolve() not in seen]
        seen |= {Path(folder, name).resolve() for name in below}
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                relative = path.relative_to(place).as_posix()
                yield relative, read_bytes(path) if path.suffix == ".py" else path


def _members(unit: Unit) -> Iterator[tuple[str, bytes | Path]]:
    try:
        with zipfile.ZipFile(unit.place) as archive:
            for name in sorted(archive.namelist()):
                inside = name == unit.member or name.startswith(f"{unit.member}/")
                if inside and not name.endswith("/") and "__pycache__" not in name.split("/"):
                    # A package's files are named from its folder on, as outside of a zip.
                    base = unit.member if name != unit.member else name.rpartition("/")[0]
                    yield name.removeprefix(base).lstrip("/"), archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise OSError(f"{unit.place}: {error}") from error


def _single(unit: Unit, source: bytes | None) -> Code:
    """The module that is a unit of its own."""
    assert unit.file is not None
    package = unit.file.stem == "__init__"
    above = unit.name if package else unit.name.rpartition(".")[0]
    return Code(unit.name, above, source, unit.file.suffix in _COMPILED)


def _code(unit: str, file: str, source: bytes | None) -> Code | None:
    """The module that ``file`` of the package ``unit`` is, if it is one."""
    path = PurePosixPath(file)
    stem = path.name.partition(".")[0]
    known = path.suffix in (*_SOURCE, *_COMPILED)
    if not known or not all(part.isidentifier() for part in (stem, *path.parent.parts)):
        return None
    package = ".".join((unit, *path.parent.parts))
    name = package if stem == "__init__" else f"{package}.{stem}"
    return Code(name, package, source if path.suffix == ".py" else None, path.suffix in _COMPILED)
