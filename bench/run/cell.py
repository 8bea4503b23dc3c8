"""A cell: everything that decides one set of samples, as plain data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from bench.core.plugin import Plugin
from bench.registry import Entry, Kind, Registry, Source, build, parameters


@dataclass(frozen=True)
class PluginSpec:
    """A plugin with all its parameters, from which any process can build it again.

    Attributes:
        kind: the kind of plugin.
        name: its name.
        params: canonical JSON of all parameters, defaults included.
        changed: canonical JSON of those that differ from the defaults (for labels).
        source: where its code came from.
        extra: fingerprint of what it reads from outside of its package (weights, data), or "".
        unknown: why ``extra`` may not cover all of that, or "".
    """

    kind: Kind
    name: str
    params: str
    changed: str
    source: Source
    extra: str = ""
    unknown: str = ""

    @staticmethod
    def of(entry: Entry, plugin: Plugin, extra: str = "", unknown: str = "") -> PluginSpec:
        """The specification of ``plugin``, an instance of ``entry``'s class."""
        values = dataclasses.asdict(cast(Any, plugin))
        defaults = {f.name: f.default for f in parameters(entry.cls)}
        changed = {k: v for k, v in values.items() if getattr(plugin, k) != defaults[k]}
        texts = canonical(values), canonical(changed)
        return PluginSpec(entry.kind, entry.name, *texts, entry.source, extra, unknown)

    @property
    def doubt(self) -> str:
        """Why what its numbers rest on is not known in full; "" where it is."""
        reason = self.source.doubt or self.unknown
        return f"{self.kind.replace('_', ' ')} '{self.name}': {reason}" if reason else ""

    def build(self, registry: Registry) -> Plugin:
        """The plugin itself."""
        return build(registry.get(self.name, self.kind).cls, json.loads(self.params))

    def label(self, without: str = "") -> str:
        """``name(key=value, ...)`` with the changed parameters but ``without``."""
        changed = {k: v for k, v in json.loads(self.changed).items() if k != without}
        inner = ", ".join(f"{k}={v}" for k, v in changed.items())
        return f"{self.name}({inner})" if inner else self.name


@dataclass(frozen=True)
class Cell:
    """One point of the matrix.

    Attributes:
        run, suite: where it stands.
        model, process, grid, solver, corrector: the plugins; no grid for adaptive solvers.
        ladder: the parameter that an adaptive solver's ladder varies, "" for others.
        budget: NFE budget, None for adaptive solvers.
        seed: seed of all noise.
        metrics: what is measured.
        protocol: canonical JSON of the protocol.
        device_kind: ``cpu`` or ``cuda``: last bits differ.
        core: version and code hash of the host.
        timeout: seconds after which the cell is given up (not part of the key).
    """

    run: str
    suite: str
    model: PluginSpec
    process: PluginSpec
    grid: PluginSpec | None
    solver: PluginSpec
    corrector: PluginSpec | None
    ladder: str
    budget: int | None
    seed: int
    metrics: tuple[PluginSpec, ...]
    protocol: str
    device_kind: str
    core: str
    timeout: float = 3600.0

    @cached_property
    def key(self) -> str:
        """sha256 of the cell's canonical JSON."""
        content = dataclasses.asdict(self)
        del content["timeout"]
        return hashlib.sha256(canonical(content).encode()).hexdigest()

    @property
    def plugins(self) -> tuple[PluginSpec, ...]:
        """All plugins of the cell."""
        named = (self.model, self.process, self.grid, self.solver, self.corrector, *self.metrics)
        return tuple(spec for spec in named if spec is not None)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the key does not stand for all that the numbers rest on: they are not kept then."""
        return tuple(spec.doubt for spec in self.plugins if spec.doubt)

    @property
    def sampler(self) -> str:
        """Label of the curve that the cell is a point of."""
        label = self.solver.label(without=self.ladder)
        return f"{label} + {self.corrector.label()}" if self.corrector else label

    @property
    def tolerance(self) -> float | None:
        """The ladder's value for adaptive solvers."""
        return float(json.loads(self.solver.params)[self.ladder]) if self.ladder else None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(json.loads(self.protocol)["samples"])

    @property
    def point(self) -> str:
        """The cell's place on its curve."""
        return f"{self.ladder} {self.tolerance:g}" if self.ladder else f"NFE {self.budget}"

    @property
    def title(self) -> str:
        """One line for people."""
        grid = f" {self.grid.label()}" if self.grid else ""
        return (
            f"{self.suite}: {self.model.label()} {self.process.label()}{grid} "
            f"{self.sampler} {self.point} seed {self.seed}"
        )


def canonical(value: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: equal content gives equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
