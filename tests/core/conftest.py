"""Every plugin of the distribution, handed to the tests by the name of the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.api import Adaptive
from bench.registry import Entry, Kind, load_registry

_ARGUMENTS: dict[str, tuple[tuple[Kind, ...], Callable[[Entry], bool]]] = {
    "process": ((Kind.PROCESS,), lambda _: True),
    "predictor": ((Kind.PREDICTOR,), lambda e: not issubclass(e.cls, Adaptive)),
    "corrector": ((Kind.CORRECTOR,), lambda _: True),
    "stepper": ((Kind.PREDICTOR, Kind.ODE_SOLVER), lambda _: True),
    "fixed_stepper": (
        (Kind.PREDICTOR, Kind.ODE_SOLVER),
        lambda e: not issubclass(e.cls, Adaptive),
    ),
    "fixed_solver": ((Kind.ODE_SOLVER,), lambda e: not issubclass(e.cls, Adaptive)),
    "adaptive_solver": ((Kind.ODE_SOLVER,), lambda e: issubclass(e.cls, Adaptive)),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise over all plugins of a kind with their default parameters."""
    for argument, (kinds, chosen) in _ARGUMENTS.items():
        if argument in metafunc.fixturenames:
            found = [e for e in load_registry().of(*kinds) if chosen(e)]
            own = [e for e in found if e.source.distribution == "scorebench"]
            plugins: list[Any] = [e.cls() for e in own]
            metafunc.parametrize(argument, plugins, ids=[e.name for e in own])
