"""Plugins by name, with their default parameters."""

from __future__ import annotations

from bench.core.grid import TimeGrid
from bench.core.process import NoiseProcess
from bench.registry import Kind, build, load_registry


def process_of(name: str) -> NoiseProcess:
    """The noise process ``name``."""
    plugin = build(load_registry().get(name, Kind.PROCESS).cls, {})
    assert isinstance(plugin, NoiseProcess)
    return plugin


def grid_of(name: str) -> TimeGrid:
    """The time grid ``name``."""
    plugin = build(load_registry().get(name, Kind.GRID).cls, {})
    assert isinstance(plugin, TimeGrid)
    return plugin
