"""Plugins by name, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from bench.core.grid import TimeGrid
from bench.core.guidance import Guidance
from bench.core.process import NoiseProcess
from bench.core.solver import OdeSolver, Stepper
from bench.core.target import Model
from bench.core.task import Task
from bench.registry import Kind, build, load_registry

T = TypeVar("T")


def process_of(name: str, **parameters: object) -> NoiseProcess:
    """The noise process ``name``."""
    return _build(NoiseProcess, name, parameters, Kind.PROCESS)


def grid_of(name: str, **parameters: object) -> TimeGrid:
    """The time grid ``name``."""
    return _build(TimeGrid, name, parameters, Kind.GRID)


def stepper_of(name: str, **parameters: object) -> Stepper[Any]:
    """The predictor or ODE solver ``name``."""
    return _build(Stepper, name, parameters, Kind.PREDICTOR, Kind.ODE_SOLVER)


def ode_solver_of(name: str, **parameters: object) -> OdeSolver[Any]:
    """The ODE solver ``name``."""
    return _build(OdeSolver, name, parameters, Kind.ODE_SOLVER)


def model_of(name: str, **parameters: object) -> Model:
    """The model ``name``."""
    return _build(Model, name, parameters, Kind.MODEL)


def task_of(name: str, **parameters: object) -> Task:
    """The task ``name``."""
    return _build(Task, name, parameters, Kind.TASK)


def guidance_of(name: str, **parameters: object) -> Guidance[Any]:
    """The guidance ``name``."""
    return _build(Guidance, name, parameters, Kind.GUIDANCE)


def _build(base: Callable[..., T], name: str, parameters: dict[str, object], *kinds: Kind) -> T:
    plugin = build(load_registry().get(name, *kinds).cls, parameters)
    assert isinstance(plugin, cast(type, base))
    return cast(T, plugin)
