"""The entry points that name plugins, each with its distribution."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib import metadata

from bench import project
from bench.registry.entries import Broken

WITHOUT = "BENCH_WITHOUT"
"""Environment variable: entry points to leave out, separated by commas."""


@dataclass(frozen=True)
class PluginPoint:
    """An entry point; equal to another by its distribution and its name."""

    distribution: str
    name: str
    version: str = field(compare=False)
    point: metadata.EntryPoint = field(compare=False)

    def refuse(self, reason: str) -> Broken:
        """The record that it, or a part of it, cannot be used."""
        return Broken(self.name, self.distribution, self.version, reason)


def plugin_points() -> tuple[PluginPoint, ...]:
    """The entry points that are not left out, in the order of their names."""
    left_out = {name.strip() for name in os.environ.get(WITHOUT, "").split(",")}
    found = sorted(metadata.entry_points(group=project.GROUP), key=lambda e: e.name)
    return tuple(_of(point) for point in found if point.name not in left_out)


def _of(point: metadata.EntryPoint) -> PluginPoint:
    if point.dist is None:
        return PluginPoint("unknown", point.name, "unknown", point)
    return PluginPoint(point.dist.metadata["Name"], point.name, point.dist.version, point)
