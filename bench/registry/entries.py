"""Plugins by kind and name, and the entry points that gave none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.core.errors import BenchError
from bench.core.grid import TimeGrid
from bench.core.guidance import Guidance
from bench.core.metric import Metric
from bench.core.plugin import Alias, Plugin
from bench.core.process import NoiseProcess
from bench.core.solver import Corrector, OdeSolver, Predictor
from bench.core.target import Model
from bench.core.task import Task
from bench.core.trainable import Trainable, TrainableClassifier
from bench.files.asset import Asset


class Kind(StrEnum):
    """The kinds of plugin, named as ``bench plugins`` lists them.

    Attributes:
        hook: the function of `bench.hookspecs` that lists plugins of the kind.
        base: the contract of `bench.api` that they implement.
    """

    hook: str
    base: type[Plugin]

    # The defaults are for type checkers, which take `Kind("model")` for a call of this.
    def __new__(cls, value: str, hook: str = "", base: type[Plugin] = Plugin) -> Kind:
        kind = str.__new__(cls, value)
        kind._value_, kind.hook, kind.base = value, hook, base
        return kind

    PROCESS = "process", "bench_processes", NoiseProcess
    GRID = "grid", "bench_grids", TimeGrid
    PREDICTOR = "predictor", "bench_predictors", Predictor
    CORRECTOR = "corrector", "bench_correctors", Corrector
    ODE_SOLVER = "ode_solver", "bench_ode_solvers", OdeSolver
    MODEL = "model", "bench_models", Model
    METRIC = "metric", "bench_metrics", Metric
    GUIDANCE = "guidance", "bench_guidances", Guidance
    TASK = "task", "bench_tasks", Task
    NETWORK = "network", "bench_networks", Trainable
    CLASSIFIER = "classifier", "bench_classifiers", TrainableClassifier

    @property
    def label(self) -> str:
        """The kind in messages."""
        return self.replace("_", " ")


@dataclass(frozen=True)
class Source:
    """The origin of a plugin.

    Attributes:
        distribution: name of the pip package.
        version: of the pip package.
        entry_point: its entry point.
        code: first 16 hex digits of the sha256 over all files that its numbers rest on (see
            `bench.identity`), so that a result is never taken for that of edited code.
        doubt: why these may not be all files, so that results are not kept; "" if they are.
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
        """Its name in YAML."""
        return self.cls.name


@dataclass(frozen=True)
class Broken:
    """An entry point, or one class of it, that cannot be used, and why."""

    entry_point: str
    distribution: str
    version: str
    reason: str


@dataclass(frozen=True)
class Meddling:
    """Changes that an entry point made to the process's state while it was imported.

    Attributes:
        entry_point: its name.
        distribution: name of the pip package.
        version: of the pip package.
        changed: the changes, in a few words.
        lasting: those that could not be undone, "" for none.
        inherited: those of them that child processes inherit.
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
    aliases: tuple[Alias, ...] = ()

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
        label = " or ".join(kind.label for kind in kinds)
        if found:
            owners = " and ".join(f"'{e.source.distribution}'" for e in found)
            raise BenchError(
                f"the {label} name '{name}' is claimed by {owners}; uninstall one of them"
            )
        raise BenchError(f"unknown {label} '{name}'; {self._advice(name, kinds)}")

    def resolve(self, name: str, *kinds: Kind) -> tuple[Entry, Mapping[str, object]]:
        """The entry that ``name``, perhaps an alias, stands for, and the alias's parameters."""
        found = next((a for a in self._aliases(kinds) if a.name == name), Alias(name, name))
        return self.get(found.plugin, *kinds), found.params

    def _aliases(self, kinds: Sequence[Kind]) -> list[Alias]:
        names = {entry.name for entry in self.of(*kinds)}
        return [alias for alias in self.aliases if alias.plugin in names]

    def _advice(self, name: str, kinds: Sequence[Kind]) -> str:
        names = [e.name for e in self.of(*kinds)]
        for item in self.broken:
            if f"'{name}'" in item.reason or name == item.entry_point:
                return (
                    f"plugin '{item.entry_point}' of '{item.distribution}' is broken: {item.reason}"
                )
        wanted = [a.name for a in self._aliases(kinds)] if ":" in name else names
        close = difflib.get_close_matches(name, wanted, n=1 + 2 * (":" in name))
        if close:
            return f"did you mean {' or '.join(map(repr, close))}?"
        return f"there are: {', '.join(names) or 'none'} (see `bench plugins`)"
