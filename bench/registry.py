"""Finds plugins, guards the host against broken ones, and builds them strictly from parameters."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import math
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import metadata
from typing import Any, TypeVar, cast

import pluggy
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import TypeAdapter, ValidationError

from bench import hookspecs, project
from bench.core.errors import BenchError
from bench.core.grid import TimeGrid
from bench.core.metric import Metric
from bench.core.plugin import Plugin
from bench.core.process import NoiseProcess
from bench.core.solver import Corrector, OdeSolver, Predictor, Stepper
from bench.core.target import Model
from bench.files.asset import Asset
from bench.identity.host import host_identity, host_modules
from bench.identity.owners import shipped
from bench.identity.survey import Survey
from bench.project import __version__
from bench.state import Changes, kept

P = TypeVar("P", bound=Plugin)


class Kind(StrEnum):
    """The kinds of plugin, named as ``bench plugins`` lists them."""

    PROCESS = "process"
    GRID = "grid"
    PREDICTOR = "predictor"
    CORRECTOR = "corrector"
    ODE_SOLVER = "ode_solver"
    MODEL = "model"
    METRIC = "metric"


_HOOKS: Mapping[Kind, tuple[str, type[Plugin]]] = {
    Kind.PROCESS: ("bench_processes", NoiseProcess),
    Kind.GRID: ("bench_grids", TimeGrid),
    Kind.PREDICTOR: ("bench_predictors", Predictor),
    Kind.CORRECTOR: ("bench_correctors", Corrector),
    Kind.ODE_SOLVER: ("bench_ode_solvers", OdeSolver),
    Kind.MODEL: ("bench_models", Model),
    Kind.METRIC: ("bench_metrics", Metric),
}


@dataclass(frozen=True)
class Source:
    """Where a plugin came from.

    Attributes:
        distribution, version: of the pip package.
        entry_point: its entry point.
        code: first 16 hex digits of the sha256 over all files that its numbers rest on (see
            `bench.identity`), so that a result is never taken for that of edited code.
        doubt: why these may not be all files; results are not kept then. "" where they are.
    """

    distribution: str
    version: str
    entry_point: str
    code: str
    doubt: str = ""


@dataclass(frozen=True)
class Entry:
    """A plugin class that can be used."""

    kind: Kind
    cls: type[Plugin]
    source: Source

    @property
    def name(self) -> str:
        """What YAML calls it."""
        return self.cls.name


@dataclass(frozen=True)
class Broken:
    """An entry point, or one class of it, that can not be used, and why."""

    entry_point: str
    distribution: str
    version: str
    reason: str


@dataclass(frozen=True)
class Meddling:
    """What an entry point changed of the process's state while it was imported.

    Attributes:
        entry_point, distribution, version: whose it is.
        changed: what, in a few words.
        lasting: what of it could not be undone, "" for nothing.
        inherited: what of that the processes inherit that this one starts.
    """

    entry_point: str
    distribution: str
    version: str
    changed: str
    lasting: str = ""
    inherited: str = ""


@dataclass(frozen=True)
class Registry:
    """All plugins found on this machine."""

    entries: tuple[Entry, ...]
    broken: tuple[Broken, ...]
    assets: tuple[Asset, ...] = ()
    meddling: tuple[Meddling, ...] = ()

    def of(self, *kinds: Kind) -> tuple[Entry, ...]:
        """The entries of these kinds, by name."""
        return tuple(sorted((e for e in self.entries if e.kind in kinds), key=lambda e: e.name))

    def get(self, name: str, *kinds: Kind) -> Entry:
        """The one entry called ``name`` among ``kinds``.

        Raises:
            BenchError: there is none, or two distributions claim the name.
        """
        found = [e for e in self.of(*kinds) if e.name == name]
        if len(found) == 1:
            return found[0]
        label = " or ".join(kind.replace("_", " ") for kind in kinds)
        if found:
            owners = " and ".join(f"'{e.source.distribution}'" for e in found)
            raise BenchError(
                f"the {label} name '{name}' is claimed by {owners}; uninstall one of them"
            )
        raise BenchError(f"unknown {label} '{name}'; {self._advice(name, kinds)}")

    def _advice(self, name: str, kinds: Sequence[Kind]) -> str:
        names = [e.name for e in self.of(*kinds)]
        for item in self.broken:
            if f"'{name}'" in item.reason or name == item.entry_point:
                return (
                    f"plugin '{item.entry_point}' of '{item.distribution}' is broken: {item.reason}"
                )
        close = difflib.get_close_matches(name, names, n=1)
        if close:
            return f"did you mean '{close[0]}'?"
        return f"there are: {', '.join(names) or 'none'} (see `bench plugins`)"


def parameters(cls: type[Plugin]) -> tuple[dataclasses.Field[Any], ...]:
    """The YAML parameters of a plugin class."""
    return dataclasses.fields(cast(Any, cls))


def build(cls: type[P], params: Mapping[str, object]) -> P:
    """An instance of ``cls`` with strictly checked parameters.

    Raises:
        ParameterError: an unknown key, a wrong type or a value out of range.
    """
    unknown = sorted(set(params) - {f.name for f in parameters(cls)})
    if unknown:
        raise ParameterError(unknown[0], _unknown_key(unknown[0], cls))
    defaults = {f.name: f.default for f in parameters(cls)}
    for key, value in params.items():
        # A default may be infinite (no upper limit, say); nothing else may, and nothing be nan.
        if value != defaults[key] and not _finite(value):
            raise ParameterError(key, f"must be finite, not {value!r}")
    try:
        # JSON mode: strict about types, yet a YAML list may become a tuple.
        made: P = _adapter(cast(Any, cls)).validate_json(json.dumps(dict(params)))
        return made
    except ValidationError as error:
        raise _refused(error) from None
    except (TypeError, ValueError) as error:
        raise ParameterError("", f"{error}; use numbers, strings, lists and mappings") from None


@lru_cache(maxsize=64)
def _adapter(cls: type[Plugin]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)  # some milliseconds each, and a list of parameters builds hundreds


def _finite(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


class ParameterError(BenchError):
    """A parameter that a plugin does not take. ``key`` is its place below the plugin."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.message = message


def _unknown_key(key: str, cls: type[Plugin]) -> str:
    names = [f.name for f in parameters(cls)]
    close = difflib.get_close_matches(key, names, n=1)
    if close:
        return f"unknown key '{key}'; did you mean '{close[0]}'?"
    takes = f"takes {', '.join(names)}" if names else "takes no parameters"
    return f"unknown key '{key}'; {cls.name} {takes}"


def _refused(error: ValidationError) -> ParameterError:
    """The first value that has a wrong type, and all that would do where there are several."""
    first, *others = error.errors()
    place, given = first["loc"], first.get("input")
    # Of a union each member has an error, in a place named after it.
    rest = [e for e in others if e["loc"][:1] == place[:1] and e.get("input") == given]
    if not rest or len(place) < 2 or not isinstance(place[1], str):
        return ParameterError(".".join(map(str, place)), _plain(str(first["msg"]), given))
    wanted = [str(e["msg"]).removeprefix("Input should be ") for e in (first, *rest)]
    message = f"Input should be {' or '.join(dict.fromkeys(wanted))}"
    return ParameterError(str(place[0]), _plain(message, given))


def _plain(message: str, value: object) -> str:
    if message.startswith("Value error, "):
        return message.removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}, not {value!r}"


WITHOUT = "BENCH_WITHOUT"
"""Environment variable: entry points to leave out, separated by commas."""

_SLOW_IMPORT_S = 20.0


@lru_cache(maxsize=1)
def load_registry() -> Registry:
    """Load every entry point of the group, each in its own guard."""
    survey = Survey(host_modules())
    return _assembled((point, _load(point, survey)) for point in _points())


def registry_of(sources: Iterable[Source]) -> Registry:
    """The plugins of these sources alone: no other entry point's code runs."""
    wanted = {(source.distribution, source.entry_point) for source in sources}
    return _registry_of(frozenset(wanted))


@lru_cache(maxsize=256)
def _registry_of(wanted: frozenset[tuple[str, str]]) -> Registry:
    named = [_Named(_owner(point)[0], point.name, point) for point in _points()]
    found = [item for item in named if (item.distribution, item.name) in wanted]
    return _assembled((item.point, _load_once(item)) for item in found)


@dataclass(frozen=True)
class _Named:
    """An entry point, told from others by its distribution and its name."""

    distribution: str
    name: str
    point: metadata.EntryPoint = dataclasses.field(compare=False)


@lru_cache(maxsize=256)
def _load_once(named: _Named) -> _Loaded:
    return _load(named.point, Survey(host_modules()))


def own_sources() -> Iterator[Source]:
    """Where the host's own plugins come from; of any version."""
    for point in _points():
        distribution, version = _owner(point)
        if distribution == project.PROJECT:
            yield Source(distribution, version, point.name, "")


def _points() -> tuple[metadata.EntryPoint, ...]:
    """The entry points that are not left out, by name."""
    left_out = {name.strip() for name in os.environ.get(WITHOUT, "").split(",")}
    found = sorted(metadata.entry_points(group=project.GROUP), key=lambda e: e.name)
    return tuple(point for point in found if point.name not in left_out)


def _assembled(parts: Iterable[tuple[metadata.EntryPoint, _Loaded]]) -> Registry:
    entries: list[Entry] = []
    broken: list[Broken] = []
    assets: dict[str, Asset] = {}
    meddling: list[Meddling] = []
    for point, loaded in parts:
        entries += loaded.entries
        broken += loaded.broken
        meddling += loaded.meddling
        for asset in loaded.assets:
            if assets.setdefault(asset.name, asset) != asset:
                broken.append(_taken(point, asset))
    return Registry(
        tuple(entries),
        (*broken, *_collisions(entries)),
        tuple(assets.values()),
        tuple(meddling),
    )


@dataclass(frozen=True)
class _Loaded:
    """What one entry point gave."""

    entries: list[Entry]
    broken: list[Broken]
    assets: list[Asset]
    meddling: list[Meddling]


def _taken(point: metadata.EntryPoint, asset: Asset) -> Broken:
    reason = f"the published file '{asset.name}' is another plugin's too; rename it"
    distribution, version = _owner(point)
    return Broken(point.name, distribution, version, reason)


def _owner(point: metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.metadata["Name"], point.dist.version) if point.dist else ("unknown",) * 2


def _load(point: metadata.EntryPoint, survey: Survey) -> _Loaded:
    """Load one entry point; what its import changes of the process's state is undone."""
    distribution, version = _owner(point)
    with _told_if_slow(point.name, distribution), guarded(distribution) as changes:
        loaded = _load_guarded(point, survey, distribution, version)
    return dataclasses.replace(
        loaded, meddling=_meddling(point.name, distribution, version, changes)
    )


def guarded(distribution: str) -> contextlib.AbstractContextManager[Changes]:
    """Undo what code of ``distribution`` changes of the process's state in the block.

    The host's own plugins change nothing, which a test holds them to.
    """
    return contextlib.nullcontext(Changes()) if distribution == project.PROJECT else kept()


def _meddling(name: str, distribution: str, version: str, changes: Changes) -> list[Meddling]:
    if not changes.found:
        return []
    lasting, inherited = changes.words_of_lasting, changes.words_of_inherited
    return [Meddling(name, distribution, version, changes.words, lasting, inherited)]


def _load_guarded(
    point: metadata.EntryPoint, survey: Survey, distribution: str, version: str
) -> _Loaded:

    def refuse(reason: str) -> Broken:
        return Broken(point.name, distribution, version, reason)

    try:
        _check_requirement(point)
        # What a plugin prints must not stand before the JSON of `bench plugins --json`.
        with contextlib.redirect_stdout(sys.stderr):
            before = set(sys.modules)
            hooks = _hooks(point)
            results = [(kind, _classes(hook())) for kind, hook in hooks.kinds]
            listed = [item for hook in hooks.assets for item in _classes(hook())]
            classes = [cls for _, found in results for cls in found]
            source = _source(point, survey, classes, set(sys.modules) - before)
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, BenchError) else f"{type(error).__name__}: "
        return _Loaded([], [refuse(f"{kind}{error}".strip().replace("\n", " "))], [], [])
    entries, failed = [], []
    for kind, found in results:
        for cls in found:
            reason = _fault(kind, cls)
            if reason:
                failed.append(refuse(reason))
            else:
                entries.append(Entry(kind, cls, source))
    failed += [
        refuse(f"an object of {type(item)} is no bench.api.Asset")
        for item in listed
        if type(item) is not Asset
    ]
    return _Loaded(entries, failed, [item for item in listed if type(item) is Asset], [])


def _check_requirement(point: metadata.EntryPoint) -> None:
    """Refuse a distribution that was made for another version of the host, before its import.

    pip checks a requirement once; later installs may break it.
    """
    for text in (point.dist.requires if point.dist else None) or ():
        requirement = Requirement(text)
        ours = requirement.name.lower().replace("_", "-") == project.PROJECT
        relevant = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if ours and relevant and not requirement.specifier.contains(__version__, prereleases=True):
            raise BenchError(
                f"requires {project.PROJECT}{requirement.specifier}, and this is {__version__}; "
                "install a version of either that fits the other"
            )


def _check_api(pin: object, point: metadata.EntryPoint) -> None:
    """Refuse a module whose ``BENCH_API`` does not admit the host's plugin API."""
    try:
        fits = SpecifierSet(str(pin)).contains(project.API_VERSION)
    except InvalidSpecifier:
        raise BenchError(
            f"BENCH_API = {pin!r} is no version specifier; write one such as "
            f"'~={project.API_VERSION}'"
        ) from None
    if not fits:
        raise BenchError(
            f"is made for plugin API {pin}, and {project.PROJECT} {__version__} has "
            f"{project.API_VERSION}; install a version of either that fits the other"
        )


@contextlib.contextmanager
def _told_if_slow(name: str, distribution: str) -> Iterator[None]:
    """Name the plugin whose import does not end: else the host just seems to hang."""
    message = (
        f"bench: still importing plugin '{name}' of '{distribution}'; "
        f"interrupt and set {WITHOUT}={name} to leave it out"
    )
    timer = threading.Timer(_SLOW_IMPORT_S, print, [message], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # the server that workers are copied from has no other thread


def _classes(answer: object) -> list[Any]:
    return list(answer) if isinstance(answer, Iterable) else [answer]


@dataclass(frozen=True)
class _Hooks:
    """Hook implementations of one entry point: of plugins by kind, and of published files."""

    kinds: list[tuple[Kind, Any]]
    assets: list[Any]


def _hooks(point: metadata.EntryPoint) -> _Hooks:
    """The hook implementations of one entry point; a manager of its own isolates it."""
    manager = pluggy.PluginManager(project.PROJECT)
    manager.add_hookspecs(hookspecs)
    module = point.load()
    _check_api(getattr(module, "BENCH_API", ""), point)
    manager.register(module, name=point.name)
    manager.check_pending()  # refuses misspelled hooks
    implementations = [
        (kind, item.function)
        for kind, (hook, _) in _HOOKS.items()
        for item in getattr(manager.hook, hook).get_hookimpls()
    ]
    assets = [item.function for item in manager.hook.bench_assets.get_hookimpls()]
    if not implementations and not assets:
        raise BenchError("implements no hook; mark one with `bench.api.hookimpl`")
    return _Hooks(implementations, assets)


def _fault(kind: Kind, cls: object) -> str:
    base = _HOOKS[kind][1]
    if not (isinstance(cls, type) and issubclass(cls, base)):
        return f"{cls!r} is not a subclass of bench.api.{base.__name__}"
    for attribute in ("name", "reference"):
        if not isinstance(getattr(cls, attribute, None), str):
            return f"{cls.__name__}: class attribute '{attribute}' must be a string"
    if not cls.name.strip() or not cls.name.isprintable():
        return f"{cls.__name__}: its name {cls.name!r} must be of characters that can be printed"
    # Of this very class: an undecorated subclass would silently have its parent's parameters.
    settings = cls.__dict__.get("__dataclass_params__")
    if settings is None or not settings.frozen:
        return f"{cls.__name__}: must be decorated with @dataclass(frozen=True)"
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        return f"{cls.__name__}: does not implement {', '.join(missing)}"
    if issubclass(cls, Stepper) and not isinstance(getattr(cls, "order", None), int | property):
        return f"{cls.__name__}: 'order' must be an integer, or a property that gives one"
    return ""


def _collisions(entries: Sequence[Entry]) -> list[Broken]:
    owners: defaultdict[tuple[Kind, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        # Predictors and ODE solvers share the `solvers:` list, hence one name space.
        space = Kind.ODE_SOLVER if entry.kind is Kind.PREDICTOR else entry.kind
        owners[space, entry.name].append(entry)
    return [
        Broken(
            entry.source.entry_point,
            entry.source.distribution,
            entry.source.version,
            f"the {entry.kind.replace('_', ' ')} name '{name}' is also claimed by "
            + ", ".join(f"'{o.source.distribution}'" for o in group if o is not entry)
            + "; rename it, or uninstall one of them",
        )
        for (_, name), group in owners.items()
        if len(group) > 1
        for entry in group
    ]


def _source(
    point: metadata.EntryPoint, survey: Survey, classes: Sequence[object], loaded: Iterable[str]
) -> Source:
    """Where the plugins of an entry point came from, and the identity of their code.

    Args:
        loaded: modules that were loaded with it, to hold against what its imports tell.
    """
    bases = [base for cls in classes if isinstance(cls, type) for base in cls.__mro__]
    modules = dict.fromkeys([point.module, *(base.__module__ for base in bases)])
    code = survey.identity(modules, shipped(point.dist))
    unread = next(survey.unread(code, loaded), "")
    doubt = f"module '{unread}' was loaded, and no import names it" if unread else ""
    return Source(*_owner(point), point.name, code.code[:16], code.doubt or doubt)


@lru_cache(maxsize=1)
def core_hash() -> str:
    """The version of the host and the hash of its code that decides numbers."""
    return f"{__version__}+{host_identity().code[:16]}"
