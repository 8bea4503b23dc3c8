"""Follows the imports of modules to all files whose code can decide their numbers."""

from __future__ import annotations

import gc
import hashlib
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.identity.cache import CodeCache
from bench.identity.content import Code, Unit, digest
from bench.identity.finding import spec_of
from bench.identity.owners import Shipped
from bench.identity.reading import Imports, imports_of, packages_above


@dataclass(frozen=True)
class Identity:
    """All that the numbers of some code rest on.

    Attributes:
        files: sha256 of each file, by the unit that it belongs to and its name in it. Where the
            units lie is no part of it.
        libraries: name and version of each library that is imported.
        absent: modules that are imported and not here: once they are, numbers may differ.
        doubts: why this may not be all of it; empty where it is.
        modules: the modules among the files.
    """

    files: tuple[tuple[str, str, str], ...]
    libraries: tuple[str, ...]
    absent: tuple[str, ...]
    doubts: tuple[str, ...]
    modules: frozenset[str] = frozenset()

    @property
    def code(self) -> str:
        """sha256 over all of it."""
        lines = [
            *(f"file {unit} {name} {content}" for unit, name, content in self.files),
            *(f"library {name}" for name in self.libraries),
            *(f"absent {name}" for name in self.absent),
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def doubt(self) -> str:
        """The first reason why this may not be all, or ""."""
        return self.doubts[0] if self.doubts else ""


def identity_of(
    modules: Iterable[str], cache: CodeCache, shipped: Shipped | None = None
) -> Identity:
    """The identity of all that an import of ``modules`` runs, and of all that was ``shipped``."""
    with _no_collection():
        return _Walk(cache).over(modules, shipped or Shipped())


def unread_modules(identity: Identity, loaded: Iterable[str], cache: CodeCache) -> Iterator[str]:
    """Those of the modules ``loaded`` that ``identity`` does not cover, and no library."""
    for name in sorted(set(loaded) - identity.modules - cache.known):
        spec = spec_of(sys.modules.get(name))
        in_file = spec is not None and spec.has_location
        if in_file and all(cache.place(part).followed for part in packages_above(name)):
            yield name


@dataclass(frozen=True)
class _Visit:
    """A module to visit.

    Attributes:
        runs: it is run, as far as imports tell; else it merely lies in a package that is.
        must: it is a module, or absent; else it may be an attribute of one.
    """

    name: str
    runs: bool
    must: bool = True


@dataclass
class _Walk:
    cache: CodeCache
    units: set[Unit] = field(default_factory=set)
    modules: dict[str, Code] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    moves_path: list[str] = field(default_factory=list)
    queue: deque[_Visit] = field(default_factory=deque)
    seen: set[_Visit] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)

    def over(self, roots: Iterable[str], shipped: Shipped) -> Identity:
        self._add(roots, runs=True)
        self._add(shipped.modules, runs=False)
        while self.queue:
            self._visit(self.queue.popleft())
        if self.moves_path and self.absent:
            self.doubts.append(
                f"module '{self.moves_path[0]}' changes where modules are looked for, and "
                f"'{min(self.absent)}' is not found"
            )
        return Identity(
            tuple(sorted([*self._files(), *self._loose(shipped.files)])),
            tuple(sorted(self.libraries)),
            tuple(sorted(self.absent)),
            tuple(dict.fromkeys(self.doubts)),
            frozenset(self.modules),
        )

    def _add(self, names: Iterable[str], runs: bool, must: bool = True) -> None:
        visits = dict.fromkeys(_Visit(name, runs, must) for name in names)
        self.queue.extend(visit for visit in visits if visit not in self.seen)
        self.seen.update(visits)

    def _visit(self, visit: _Visit) -> None:
        """Take in the unit of a module, and follow what the module itself imports."""
        for name in packages_above(visit.name):
            passing = name != visit.name and not self.cache.whole
            followed = name in self.modules or self._enter(name, passing)
            if followed is None:  # of a library, of the interpreter, or of the host's known part
                return
            if not followed:
                if visit.must or name != visit.name:
                    self.absent.add(name)
                return
            if visit.runs and not passing and name in self.modules and name not in self.ran:
                self.ran.add(name)
                self._run(self.modules[name])

    def _enter(self, name: str, passing: bool) -> bool | None:
        """True if ``name`` is a module that is followed; None where it is not to be followed.

        Its files are taken in, unless it is but ``passing``.
        """
        place = self.cache.place(name)
        if place.library:
            self.libraries.add(place.library)
        if place.doubt:
            self.doubts.append(place.doubt)
        if place.unit is not None and not passing:
            self._take(place.unit)
            if name not in self.modules:
                self.doubts.append(f"module '{name}': {place.unit.place} cannot be read as code")
        return place.followed

    def _take(self, unit: Unit) -> None:
        if unit in self.units:
            return
        self.units.add(unit)
        content = self.cache.content(unit)
        if isinstance(content, OSError):
            self.doubts.append(f"{unit.place} cannot be read ({content.strerror or content})")
            return
        self.modules |= content.modules
        for code in content.modules.values():
            self._follow(_imports(code), runs=False)

    def _run(self, code: Code) -> None:
        imports, module = _imports(code), f"module '{code.name}'"
        if code.source is None and not code.compiled:
            self.doubts.append(f"{module} has no source, so that its imports cannot be read")
        self.doubts += [
            f"{module} runs code that reading cannot follow: {what}" for what in imports.unreadable
        ]
        if imports.moves_path:
            self.moves_path.append(code.name)
        self._follow(imports, runs=True)

    def _follow(self, imports: Imports, runs: bool) -> None:
        self._add(sorted(imports.modules), runs)
        self._add(sorted(imports.maybe), runs, must=False)
        for package in sorted(imports.below):
            self._visit(_Visit(package, runs))
            inside = [name for name in self.modules if name.startswith(f"{package}.")]
            self._add(inside, runs)
            ours = all(self.cache.place(name).followed for name in packages_above(package))
            if runs and ours and not inside:
                self.doubts.append(f"a module below '{package}' is chosen at run time")

    def _files(self) -> Iterator[tuple[str, str, str]]:
        for unit in self.units:
            content = self.cache.content(unit)
            if not isinstance(content, OSError):
                yield from ((unit.name, name, sha) for name, sha in content.digests.items())

    def _loose(self, files: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
        """Files of a distribution that are in none of its packages."""
        folders = [unit.place for unit in self.units if not unit.member]
        for file in files:
            if any(file.is_relative_to(folder) for folder in folders):
                continue
            try:
                yield "", file.name, digest(file)
            except OSError as error:
                self.doubts.append(f"{file} cannot be read ({error.strerror or error})")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Else the collector looks through all of torch's objects for every few trees that are read."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _imports(code: Code) -> Imports:
    return Imports() if code.source is None else imports_of(code.source, code.name, code.package)
