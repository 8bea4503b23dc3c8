"""Decides if a module is followed, stands for a library, or is absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.identity.content import Unit
from bench.identity.finding import Found, find
from bench.identity.owners import folder_above, is_installed, is_standard, owner_of

HOST = "bench"
FAMILIES = "bench_plugins"
"""The package that holds the host's own plugins: each family in it is a package of its own."""
IN_COLUMNS = frozenset({"torch"})
"""Libraries whose version is a column of the table, so that a reader sees which it was."""


@dataclass(frozen=True)
class Place:
    """The place that a module's name leads to.

    Attributes:
        followed: it is a module whose imports are followed; None: it is one, and they are not;
            False: there is no such module.
        unit: what is hashed with it.
        library: the library that it belongs to.
        doubt: why it cannot be followed.
    """

    followed: bool | None
    unit: Unit | None = None
    library: str = ""
    doubt: str = ""


def place_of(name: str, whole: bool) -> Place:
    """The place of the module ``name``; without ``whole`` its own file, not its package."""
    found = find(name)
    if found is None:
        return Place(False)
    if name in IN_COLUMNS or is_standard(found):
        return Place(None)
    if found.namespace:
        return Place(True)
    if found.file is None:
        return Place(None, doubt=f"module '{name}' comes from no file")
    owner = owner_of(found)
    if owner is not None and owner.library:
        return Place(None, library=owner.library)
    alone = not whole and found.archive is None
    return Place(True, Unit(name, found.file) if alone else _unit(found))


def _unit(found: Found) -> Unit:
    """The files that are hashed with a module: the folder of its top package, or itself.

    Not of the host, most of which decides no number; nor of a namespace package among the
    installed ones, which holds what others put there.
    """
    assert found.file is not None
    file, parts = found.file, found.name.split(".")
    if parts[0] == HOST or found.name == FAMILIES:
        return Unit(found.name, file)
    up = folder_above(found)
    if parts[0] == FAMILIES:
        return _family(found.name, up)
    whole, parent = up / parts[0], found.name.rpartition(".")[0]
    shared = is_installed(up) and not file.is_relative_to(whole / "__init__.py")
    name, place = found.name, file
    if file.is_relative_to(whole) and not shared:
        name, place = parts[0], whole
    elif found.folders is not None:
        place = file.parent
    elif parent:
        name, place = parent, file.parent
    if found.archive is None:
        return Unit(name, place)
    return Unit(name, found.archive, place.relative_to(found.archive).as_posix())


def _family(name: str, up: Path) -> Unit:
    family = name.split(".")[1]
    return Unit(f"{FAMILIES}.{family}", up / FAMILIES / family)
