"""Finds where a module's code lies, without running any of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from zipimport import zipimporter


@dataclass(frozen=True)
class Found:
    """A module that an import of its name would give.

    Attributes:
        name: its dotted name.
        file: the file that is run; None for a namespace package and for what has no file.
        folders: where its submodules are looked for; None unless it is a package.
        archive: the zip that ``file`` is a member of.
        builtin: it is part of the interpreter.
    """

    name: str
    file: Path | None
    folders: tuple[Path, ...] | None
    archive: Path | None = None
    builtin: bool = False

    @property
    def namespace(self) -> bool:
        """True for a package without a file of its own (PEP 420)."""
        return self.file is None and self.folders is not None


def find(name: str) -> Found | None:
    """The module ``name``: as it was loaded, else as the import system would find it now.

    ``importlib.util.find_spec`` would import the packages above it; this runs no code but that of
    finders, so that a factory may be looked at before anybody runs it.
    """
    if spec := spec_of(sys.modules.get(name)):
        return _found(name, spec)
    parent, _, tail = name.rpartition(".")
    above = find(parent) if parent else None
    if parent and (above is None or above.folders is None):
        return None
    spec = _spec(name, None if above is None else [str(p) for p in above.folders or ()])
    if spec is not None:
        return _found(name, spec)
    portions = [folder / tail for folder in (above.folders if above else None) or ()]
    there = tuple(folder for folder in portions if folder.is_dir())
    return Found(name, None, there) if there else None


def spec_of(module: object) -> ModuleSpec | None:
    """The import system's record of a loaded module; None for one that it did not load."""
    spec = getattr(module, "__spec__", None)
    return spec if isinstance(spec, ModuleSpec) else None


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in tuple(sys.meta_path):
        search = getattr(finder, "find_spec", None)
        try:
            spec = search(name, path, None) if search else None
        except KeyError:  # of a namespace package in one that is not imported yet
            continue
        except Exception:  # a stranger's finder raises whatever it likes
            continue
        if isinstance(spec, ModuleSpec):
            return spec
    return None


def _found(name: str, spec: ModuleSpec) -> Found:
    builtin = spec.origin in ("built-in", "frozen")
    locations = spec.submodule_search_locations
    try:
        folders = None if locations is None else tuple(Path(p).absolute() for p in locations)
    except KeyError:  # of a namespace package in one that is loaded no more
        folders = ()
    origin = spec.origin if spec.has_location else None
    archive = spec.loader.archive if isinstance(spec.loader, zipimporter) else None
    return Found(
        name,
        None if origin is None else Path(origin).absolute(),
        folders,
        None if archive is None else Path(archive).absolute(),
        builtin,
    )
