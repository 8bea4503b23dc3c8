"""The registry of all entry points, or of some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from bench.core.plugin import Alias
from bench.files.asset import Asset
from bench.identity.cache import CodeCache
from bench.identity.host import host_modules
from bench.project import PROJECT
from bench.registry.entries import Broken, Entry, Kind, Meddling, Registry, Source
from bench.registry.loading import Loaded, load
from bench.registry.point import PluginPoint, plugin_points


@lru_cache(maxsize=1)
def load_registry() -> Registry:
    """Load every entry point of the group, each in its own guard."""
    cache = CodeCache(host_modules())
    return _assemble((point, load(point, cache)) for point in plugin_points())


def registry_of(sources: Iterable[Source]) -> Registry:
    """The plugins of these sources alone: no other entry point's code runs."""
    wanted = {(source.distribution, source.entry_point) for source in sources}
    return _registry_of(frozenset(wanted))


@lru_cache(maxsize=256)
def _registry_of(wanted: frozenset[tuple[str, str]]) -> Registry:
    points = [p for p in plugin_points() if (p.distribution, p.name) in wanted]
    return _assemble((point, _load_once(point)) for point in points)


@lru_cache(maxsize=256)
def _load_once(point: PluginPoint) -> Loaded:
    return load(point, CodeCache(host_modules()))


def own_sources() -> Iterator[Source]:
    """The sources of the host's own plugins, without their code."""
    for point in plugin_points():
        if point.distribution == PROJECT:
            yield Source(point.distribution, point.version, point.name, "")


def _assemble(parts: Iterable[tuple[PluginPoint, Loaded]]) -> Registry:
    entries: list[Entry] = []
    broken: list[Broken] = []
    assets: dict[str, Asset] = {}
    meddling: list[Meddling] = []
    aliases: dict[str, Alias] = {}
    for point, loaded in parts:
        entries += loaded.entries
        broken += loaded.broken
        meddling += loaded.meddling
        for alias in loaded.aliases:
            if aliases.setdefault(alias.name, alias) != alias:
                broken.append(point.refuse(f"the alias '{alias.name}' is another plugin's too"))
        for asset in loaded.assets:
            if assets.setdefault(asset.name, asset) != asset:
                reason = f"the published file '{asset.name}' is another plugin's too; rename it"
                broken.append(point.refuse(reason))
    broken += _collisions(entries)
    named = tuple(assets.values()), tuple(meddling), tuple(aliases.values())
    return Registry(tuple(entries), tuple(broken), *named)


def _collisions(entries: Sequence[Entry]) -> Iterator[Broken]:
    """Every entry whose name another one claims too."""
    owners: defaultdict[tuple[Kind, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        # Predictors and ODE solvers share the `solvers:` list, hence one name space.
        space = Kind.ODE_SOLVER if entry.kind is Kind.PREDICTOR else entry.kind
        owners[space, entry.name].append(entry)
    for group in owners.values():
        for entry in group if len(group) > 1 else ():
            others = ", ".join(f"'{o.source.distribution}'" for o in group if o is not entry)
            source = entry.source
            yield Broken(
                source.entry_point,
                source.distribution,
                source.version,
                f"the {entry.kind.label} name '{entry.name}' is also claimed by {others}; "
                "rename it, or uninstall one of them",
            )
