"""A plugin as plain data: its name, its parameters and where its code came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bench.core.plugin import Plugin
from bench.registry import Entry, Kind, Registry, Source, build, parameters
from bench.run.params import Params

SHORT = len("sha256:") + 16
"""Characters of a file's digest that tables show."""

NOT_IN_KEY: Mapping[str, bool] = {"not_in_key": True}
"""Metadata of a field that is no part of what a cell is."""


@dataclass(frozen=True)
class Outside:
    """Content that a plugin reads from outside of its package.

    Attributes:
        contents: by parameter that names a file, the digest of what is there; "" where the place
            decides nothing.
        rest: fingerprint of all else, or "".
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
        params: all parameters, defaults included; of files their digests.
        changed: those that differ from the defaults, and all files (their digests, shortened).
        source: where its code came from.
        extra: fingerprint of what else it reads from outside of its package, or "".
        paths: the parameters that name files, as they were given. No part of what the plugin is:
            equal files are one, wherever they lie.
        unknown: why ``extra`` may not cover all of that, or "".
    """

    kind: Kind
    name: str
    params: Params
    changed: Params
    source: Source
    extra: str = ""
    paths: Params = field(default_factory=Params, metadata=NOT_IN_KEY)
    unknown: str = ""

    @staticmethod
    def of(entry: Entry, plugin: Plugin, outside: Outside | None = None) -> PluginSpec:
        """The specification of ``plugin``, an instance of ``entry``'s class."""
        outside = outside or Outside()
        values = dataclasses.asdict(cast(Any, plugin))
        defaults = {f.name: f.default for f in parameters(entry.cls)}
        files = {name: digest or defaults[name] for name, digest in outside.contents.items()}
        changed = {
            k: v for k, v in values.items() if k not in files and getattr(plugin, k) != defaults[k]
        }
        short = {name: digest[:SHORT] for name, digest in outside.contents.items() if digest}
        return PluginSpec(
            entry.kind,
            entry.name,
            Params.of(values | files),
            Params.of(changed | short),
            entry.source,
            outside.rest,
            Params.of({name: values[name] for name in files}),
            outside.doubt,
        )

    @property
    def title(self) -> str:
        """Kind and name, for messages."""
        return f"{self.kind.label} '{self.name}'"

    @property
    def doubt(self) -> str:
        """The reason why its code or its input is not known in full; "" where it is."""
        reason = self.source.doubt or self.unknown
        return f"{self.title}: {reason}" if reason else ""

    def build(self, registry: Registry) -> Plugin:
        """The plugin itself."""
        return build(registry.get(self.name, self.kind).cls, {**self.params, **self.paths})

    def label(self) -> str:
        """``name(key=value, ...)`` with the changed parameters, files by their paths."""
        return _call(self.name, {k: self.paths.get(k, v) for k, v in self.changed.items()})

    def identity(self, without: str = "") -> str:
        """The same with the digests of files: equal wherever they lie."""
        return _call(self.name, {k: v for k, v in self.changed.items() if k != without})

    def files(self) -> dict[str, str]:
        """The paths of its files: by their digests, as in ``changed``; else by parameter."""
        return {
            self.changed.get(name, f"{self.name}.{name}"): path
            if isinstance(path, str)
            else ", ".join(path)
            for name, path in self.paths.items()
        }


def _call(name: str, values: Mapping[str, Any]) -> str:
    inner = ", ".join(f"{k}={v}" for k, v in values.items())
    return f"{name}({inner})" if inner else name
