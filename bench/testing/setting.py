"""Plugins by name, for tests."""

from __future__ import annotations

from typing import Any

from bench.core.grid import TimeGrid
from bench.core.plugin import Plugin
from bench.core.process import NoiseProcess
from bench.core.solver import OdeSolver, Stepper
from bench.registry import Kind, build, load_registry


def process_of(name: str, **parameters: object) -> NoiseProcess:
    """The noise process ``name``."""
    plugin = _built(name, parameters, Kind.PROCESS)
    assert isinstance(plugin, NoiseProcess)
    return plugin


def grid_of(name: str, **parameters: object) -> TimeGrid:
    """The time grid ``name``."""
    plugin = _built(name, parameters, Kind.GRID)
    assert isinstance(plugin, TimeGrid)
    return plugin


def stepper_of(name: str, **parameters: object) -> Stepper[Any]:
    """The predictor or ODE solver ``name``."""
    plugin = _built(name, parameters, Kind.PREDICTOR, Kind.ODE_SOLVER)
    assert isinstance(plugin, Stepper)
    return plugin


def ode_solver_of(name: str, **parameters: object) -> OdeSolver[Any]:
    """The ODE solver ``name``."""
    plugin = _built(name, parameters, Kind.ODE_SOLVER)
    assert isinstance(plugin, OdeSolver)
    return plugin


def _built(name: str, parameters: dict[str, object], *kinds: Kind) -> Plugin:
    return build(load_registry().get(name, *kinds).cls, parameters)
