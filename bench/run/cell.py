"""A cell: everything that decides one set of samples, as plain data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from bench.core.plugin import Plugin
from bench.registry import Entry, Kind, Registry, Source, build, parameters

SHORT = len("sha256:") + 16
"""Characters of a file's digest that tables show."""


@dataclass(frozen=True)
class Outside:
    """What a plugin reads from outside of its package.

    Attributes:
        contents: by parameter that names a file, the digest of what is there; "" where the place
            decides nothing.
        rest: hash of all else, or "".
        doubt: why that may not be all; "" where it is.
    """

    contents: Mapping[str, str] = field(default_factory=dict)
    rest: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class PluginSpec:
    """A plugin with all its parameters, from which any process can build it again.

    Attributes:
        kind: the kind of plugin.
        name: its name.
        params: canonical JSON of all parameters, defaults included; for files their digests.
        changed: canonical JSON of those that differ from the defaults, and of all files (their
            digests, shortened).
        source: where its code came from.
        extra: fingerprint of what else it reads from outside of its package, or "".
        paths: canonical JSON of the parameters that name files, as they were given. No part of
            what the plugin is: equal files are one, wherever they lie.
        unknown: why ``extra`` may not cover all of that, or "".
    """

    kind: Kind
    name: str
    params: str
    changed: str
    source: Source
    extra: str = ""
    paths: str = "{}"
    unknown: str = ""

    @staticmethod
    def of(entry: Entry, plugin: Plugin, outside: Outside | None = None) -> PluginSpec:
        """The specification of ``plugin``, an instance of ``entry``'s class."""
        outside = outside or Outside()
        values = dataclasses.asdict(cast(Any, plugin))
        defaults = {f.name: f.default for f in parameters(entry.cls)}
        told = {name: digest or defaults[name] for name, digest in outside.contents.items()}
        changed = {
            k: v for k, v in values.items() if k not in told and getattr(plugin, k) != defaults[k]
        }
        short = {name: digest[:SHORT] for name, digest in outside.contents.items() if digest}
        return PluginSpec(
            entry.kind,
            entry.name,
            canonical(values | told),
            canonical(changed | short),
            entry.source,
            outside.rest,
            canonical({name: values[name] for name in told}),
            outside.doubt,
        )

    @property
    def doubt(self) -> str:
        """Why what its numbers rest on is not known in full; "" where it is."""
        reason = self.source.doubt or self.unknown
        return f"{self.kind.replace('_', ' ')} '{self.name}': {reason}" if reason else ""

    def build(self, registry: Registry) -> Plugin:
        """The plugin itself."""
        params = json.loads(self.params) | json.loads(self.paths)
        return build(registry.get(self.name, self.kind).cls, params)

    def label(self, without: str = "") -> str:
        """``name(key=value, ...)`` with the changed parameters but ``without``, files by path."""
        paths = json.loads(self.paths)
        return _label(
            self.name,
            {k: paths.get(k, v) for k, v in json.loads(self.changed).items() if k != without},
        )

    def identity(self, without: str = "") -> str:
        """The same with the digests of files: equal wherever they lie."""
        changed = json.loads(self.changed)
        return _label(self.name, {k: v for k, v in changed.items() if k != without})

    def files(self) -> dict[str, str]:
        """Where its files lie: by their digests, as in ``changed``; else by parameter."""
        digests = json.loads(self.changed)
        return {
            digests.get(name, f"{self.name}.{name}"): path
            if isinstance(path, str)
            else ", ".join(path)
            for name, path in json.loads(self.paths).items()
        }


def _label(name: str, values: Mapping[str, Any]) -> str:
    inner = ", ".join(f"{k}={v}" for k, v in values.items())
    return f"{name}({inner})" if inner else name


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
        for named in ("model", "process", "grid", "solver", "corrector"):
            (content[named] or {}).pop("paths", None)
        for metric in content["metrics"]:
            del metric["paths"]
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
        label = self.solver.identity(without=self.ladder)
        return f"{label} + {self.corrector.identity()}" if self.corrector else label

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
