"""The installed distribution that a module belongs to, and if its version settles its content."""

from __future__ import annotations

import json
import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from bench.identity.finding import Found
from bench.project import GROUP, PROJECT

_STANDARD = tuple(
    Path(place).resolve()
    for name in ("stdlib", "platstdlib")
    if (place := sysconfig.get_path(name)) is not None
)


def is_standard(found: Found) -> bool:
    """True for the standard library, by its place: a name may be hidden by another module's."""
    if found.builtin:
        return True
    if found.file is None:
        return False
    file = found.file.resolve()
    inside = any(file.is_relative_to(place) for place in _STANDARD)
    return inside and not is_installed(file)


def is_installed(path: Path) -> bool:
    """True if ``path`` lies where pip and the system install packages to."""
    return bool({"site-packages", "dist-packages"} & set(path.parts))


def folder_above(found: Found) -> Path:
    """The folder, or zip, in which the top package of a module was found."""
    assert found.file is not None
    depth = found.name.count(".") + (1 if found.folders is not None else 0)
    return found.file.parents[depth]


@dataclass(frozen=True)
class Owner:
    """An installed distribution, and its normalised name."""

    distribution: metadata.Distribution
    name: str

    @cached_property
    def record(self) -> str:
        """Its list of files."""
        return "\n" + (self.distribution.read_text("RECORD") or "").replace("\\", "/")

    @cached_property
    def top_level(self) -> frozenset[str]:
        """The names of its top modules, where the builder wrote them down."""
        return frozenset((self.distribution.read_text("top_level.txt") or "").split())

    @cached_property
    def library(self) -> str:
        """Its name and version if these settle its content; "" if its files have to be read.

        They are read of the host, of plugins and what is made for the host, and of what was
        installed from a folder, or from a file of unknown hash, where a version may stay the same.
        """
        if self.name == PROJECT or self._made_for_host():
            return ""
        exact = _exact(_origin(self.distribution))
        return "" if exact is None else f"{self.name} {self.distribution.version}{exact}"

    def _made_for_host(self) -> bool:
        if self.distribution.entry_points.select(group=GROUP):
            return True
        return any(_project(text) == PROJECT for text in self.distribution.requires or ())


def owner_of(found: Found) -> Owner | None:
    """The distribution that installed this module; None for files that nobody installed."""
    if found.file is None:
        return None
    up = folder_above(found)
    top = found.name.partition(".")[0]
    return _owner(up, top, found.file.relative_to(up).as_posix())


@lru_cache(maxsize=1024)
def _owner(folder: Path, top: str, file: str) -> Owner | None:
    owners = _installed(folder)
    likely = [owner for owner in owners if owner.name == normalise(top)]
    for owner in (*likely, *(owner for owner in owners if owner not in likely)):
        if f"\n{file}," in owner.record or f'\n"{file}",' in owner.record:
            return owner
    unlisted = (owner for owner in owners if len(owner.record) == 1)
    return next((o for o in unlisted if top in o.top_level or o in likely), None)


@lru_cache(maxsize=64)
def _installed(folder: Path) -> tuple[Owner, ...]:
    """The distributions whose metadata lie in a folder; names are read from those of the files."""
    if not folder.is_dir():
        return ()
    places = sorted(p for p in folder.iterdir() if p.suffix in (".dist-info", ".egg-info"))
    return tuple(
        Owner(metadata.Distribution.at(place), normalise(place.stem.partition("-")[0]))
        for place in places
    )


def normalise(name: str) -> str:
    """A distribution's name, normalised."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _project(requirement: str) -> str:
    try:
        return normalise(Requirement(requirement).name)
    except InvalidRequirement:
        return ""


def _origin(distribution: metadata.Distribution) -> dict[str, object]:
    """The source that pip recorded (PEP 610); empty for a package from an index."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}


def _exact(origin: dict[str, object]) -> str | None:
    """The record that settles the content besides the version; None where none does."""
    if not origin:
        return ""
    info = origin.get("vcs_info", origin.get("archive_info"))
    settled = isinstance(info, dict) and {"commit_id", "hash", "hashes"} & set(info)
    return f" {json.dumps(info, sort_keys=True)}" if settled else None


@dataclass(frozen=True)
class Shipped:
    """The content of a distribution.

    Attributes:
        modules: names of its top modules and of those in its namespace packages.
        files: its files that belong to no package.
    """

    modules: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def shipped_by(distribution: object) -> Shipped:
    """The modules and files of a plugin's distribution; nothing of the host's own.

    Whatever is no `importlib.metadata.Distribution` ships nothing that could be listed.
    """
    if not isinstance(distribution, metadata.Distribution):
        return Shipped()
    owner = Owner(distribution, normalise(distribution.metadata["Name"] or ""))
    if owner.name == PROJECT:
        return Shipped()
    listed = distribution.files if len(owner.record) > 1 else None
    modules, files = set(owner.top_level), set[Path]()
    for file in listed or ():
        top = file.parts[0]
        if top.endswith((".dist-info", ".egg-info", ".pth")) or top.startswith("__editable__"):
            continue
        if "__pycache__" in file.parts or ("bin" in file.parts[:-1] and top == ".."):
            continue
        if file.suffix in (".py", ".so", ".pyd") and top != "..":
            modules.add(_dotted(file.parts))
        elif file.suffix != ".pyc":
            files.add(Path(str(file.locate())).absolute())
    names = (name for name in modules if all(part.isidentifier() for part in name.split(".")))
    return Shipped(tuple(sorted(names)), tuple(sorted(files)))


def _dotted(parts: Iterable[str]) -> str:
    *folders, file = parts
    stem = file.partition(".")[0]
    return ".".join(folders if stem == "__init__" else [*folders, stem])
