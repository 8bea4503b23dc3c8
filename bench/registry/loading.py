"""Loads one entry point; whatever its code does, the host goes on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pluggy

from bench import hookspecs, project
from bench.core.errors import BenchError
from bench.core.plugin import Alias
from bench.files.asset import Asset
from bench.identity.cache import CodeCache
from bench.identity.owners import shipped_by
from bench.identity.walk import identity_of, unread_modules
from bench.registry.classes import class_fault, kind_of
from bench.registry.entries import Broken, Entry, Kind, Meddling, Source
from bench.registry.guard import guard_state, warn_if_slow
from bench.registry.point import PluginPoint
from bench.registry.versions import check_api, check_requirement
from bench.state import Changes


@dataclass(frozen=True)
class Loaded:
    """The plugins and files of one entry point."""

    entries: tuple[Entry, ...] = ()
    broken: tuple[Broken, ...] = ()
    assets: tuple[Asset, ...] = ()
    meddling: tuple[Meddling, ...] = ()
    aliases: tuple[Alias, ...] = ()


def load(point: PluginPoint, cache: CodeCache) -> Loaded:
    """Load one entry point; what its import changes of the process's state is undone."""
    with warn_if_slow(point), guard_state(point.distribution) as changes:
        loaded = _load(point, cache)
    return replace(loaded, meddling=tuple(_meddling(point, changes)))


def _meddling(point: PluginPoint, changes: Changes) -> Iterator[Meddling]:
    if changes.found:
        lasting, inherited = changes.lasting, changes.inherited
        yield Meddling(
            point.name, point.distribution, point.version, changes.summary, lasting, inherited
        )


@dataclass(frozen=True)
class _Answers:
    """The lists of one entry point's hooks, unchecked."""

    classes: list[tuple[Kind, Any]]
    assets: list[Any]
    source: Source
    aliases: tuple[Alias, ...]


def _load(point: PluginPoint, cache: CodeCache) -> Loaded:
    try:
        check_requirement(point.point)
        # What a plugin prints must not stand before the JSON of `bench plugins --json`.
        with contextlib.redirect_stdout(sys.stderr):
            answers = _call_hooks(point, cache)
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, BenchError) else f"{type(error).__name__}: "
        return Loaded(broken=(point.refuse(f"{kind}{error}".strip().replace("\n", " ")),))
    faults = [class_fault(kind, cls) for kind, cls in answers.classes]
    faults += [
        "" if type(item) is Asset else f"an object of {type(item)} is no bench.api.Asset"
        for item in answers.assets
    ]
    return Loaded(
        tuple(
            Entry(kind, cls, answers.source)
            for (kind, cls), fault in zip(answers.classes, faults, strict=False)
            if not fault
        ),
        tuple(point.refuse(fault) for fault in faults if fault),
        tuple(item for item in answers.assets if type(item) is Asset),
        aliases=answers.aliases,
    )


def _call_hooks(point: PluginPoint, cache: CodeCache) -> _Answers:
    before = set(sys.modules)
    hook = _hooks(point)
    classes = [
        (kind, cls)
        for kind in Kind
        for item in getattr(hook, kind.hook).get_hookimpls()
        for cls in _as_list(item.function())
    ]
    classes += [
        (kind_of(cls), cls)
        for item in hook.bench_family.get_hookimpls()
        for cls in _as_list(item.function())
    ]
    assets = [a for item in hook.bench_assets.get_hookimpls() for a in _as_list(item.function())]
    aliases = [a for item in hook.bench_aliases.get_hookimpls() for a in _as_list(item.function())]
    source = _source(point, cache, [cls for _, cls in classes], set(sys.modules) - before)
    return _Answers(classes, assets, source, tuple(a for a in aliases if type(a) is Alias))


def _hooks(point: PluginPoint) -> Any:
    """The hook callers of one entry point; a manager of its own isolates it."""
    manager = pluggy.PluginManager(project.PROJECT)
    manager.add_hookspecs(hookspecs)
    module = point.point.load()
    check_api(getattr(module, "BENCH_API", ""))
    manager.register(module, name=point.name)
    manager.check_pending()  # refuses misspelled hooks
    if not manager.get_hookcallers(module):
        raise BenchError("implements no hook; mark one with `bench.api.hookimpl`")
    return manager.hook


def _as_list(answer: object) -> list[Any]:
    return list(answer) if isinstance(answer, Iterable) else [answer]


def _source(
    point: PluginPoint, cache: CodeCache, classes: Sequence[object], loaded: Iterable[str]
) -> Source:
    """The origin of an entry point's plugins, with the identity of their code.

    Args:
        loaded: modules that were loaded with it, held against what its imports name.
    """
    bases = [base for cls in classes if isinstance(cls, type) for base in cls.__mro__]
    modules = dict.fromkeys([point.point.module, *(base.__module__ for base in bases)])
    code = identity_of(modules, cache, shipped_by(point.point.dist))
    unread = next(unread_modules(code, loaded, cache), "")
    doubt = f"module '{unread}' was loaded, and no import names it" if unread else ""
    return Source(
        point.distribution, point.version, point.name, code.code[:16], code.doubt or doubt
    )
