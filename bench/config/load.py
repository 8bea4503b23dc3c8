"""Reads benchmarks.yaml and the files that it includes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.config.document import Document, KeyPath, read_document
from bench.config.schema import FileConfig, SuiteConfig, SuiteDefaults, validate
from bench.core.errors import BenchError


@dataclass(frozen=True)
class Suite:
    """A suite and where it stands in its file."""

    name: str
    config: SuiteConfig
    document: Document
    defaulted: frozenset[str]

    def error(self, place: KeyPath, message: str) -> BenchError:
        """An error at ``place`` below the suite (or in the defaults, where the key came from)."""
        return self.document.error(self.place(place), message)

    def place(self, below: KeyPath) -> KeyPath:
        """The place in the document of ``below``."""
        inherited = bool(below) and below[0] in self.defaulted
        top: KeyPath = ("defaults",) if inherited else ("suites", self.name)
        return (*top, *below)


@dataclass(frozen=True)
class Config:
    """All suites of a file and of what it includes."""

    name: str
    suites: tuple[Suite, ...]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def load_config(path: Path) -> Config:
    """Read ``path`` and what it includes.

    Raises:
        BenchError: bad input; names file, line, place, cause and remedy.
    """
    document = read_document(path)
    top = _top(document)
    suites: dict[str, Suite] = {}
    for suite in _suites(document, (path.resolve(),)):
        if suite.name in suites:
            other = suites[suite.name].document.path
            raise suite.error((), f"suite '{suite.name}' stands in {other} too; rename one")
        suites[suite.name] = suite
    if not suites:
        raise BenchError(f"{path}: defines no suites; add `suites:` (see `bench run --help`)")
    name = top.name if top.name is not None else path.stem
    if not _NAME.fullmatch(name):
        raise document.error(
            ("name",), f"'{name}' cannot name a folder; use letters, digits, '.', '_' and '-'"
        )
    return Config(name, tuple(suites.values()))


def _top(document: Document) -> FileConfig:
    return validate(FileConfig, document.content, document, ())


def _suites(document: Document, chain: tuple[Path, ...]) -> Iterator[Suite]:
    """The suites of the files that a document includes, then its own."""
    top = _top(document)
    for i, name in enumerate(top.include):
        if "\0" in name:
            raise document.error(("include", i), "holds a zero byte; name a file")
        target = (document.path.parent / name).resolve()
        if target in chain:
            loop = " -> ".join(p.name for p in (*chain[chain.index(target) :], target))
            raise document.error(("include", i), f"includes itself: {loop}; remove one of them")
        if not target.is_file():
            raise document.error(
                ("include", i), f"there is no file '{name}' beside {document.path.name}"
            )
        yield from _suites(read_document(document.path.parent / name), (*chain, target))
    validate(SuiteDefaults, top.defaults, document, ("defaults",))
    for name, body in top.suites.items():
        if not _NAME.fullmatch(name):
            raise document.error(
                ("suites", name), "use letters, digits, '.', '_' and '-' in a suite's name"
            )
        config = validate(SuiteConfig, {**top.defaults, **body}, document, ("suites", name))
        suite = Suite(name, config, document, frozenset(top.defaults) - frozenset(body))
        if config.s_min is not None and config.s_max is not None and config.s_min >= config.s_max:
            raise suite.error(("s_min",), f"must be below s_max = {config.s_max:g}")
        yield suite
