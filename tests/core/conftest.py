"""Plugins of the distribution, handed to the tests by the name of the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.api import Adaptive
from bench.registry import Entry, Kind, load_registry

# One of each kind of step and state. The kit tests every plugin (tests/testing): here stand those
# that are told apart by what the core does for them.
FIXED = {
    "ddim", "edm_heun", "rk4", "dpmpp_2m", "deis_tab", "dpm_fast", "unipc",
    "ancestral", "seeds_2", "sa_solver", "edm_churn", "restart",
}  # fmt: skip
ADAPTIVE = {"tsit5", "dpm_adaptive_23", "rk45", "ggf"}
PROCESSES = {"vp", "edm", "rectified_flow"}
STEPPERS = (Kind.PREDICTOR, Kind.ODE_SOLVER)


def _fixed(entry: Entry) -> bool:
    # Those that need an observation have laws of their own (tests/laws/inverse), and so have
    # schedulers of diffusers, which run on their own noise levels alone.
    own = entry.name == "diffusers" or getattr(entry.cls, "observes", False)
    return not issubclass(entry.cls, Adaptive) and not own


_ARGUMENTS: dict[str, tuple[tuple[Kind, ...], Callable[[Entry], bool]]] = {
    "process": ((Kind.PROCESS,), lambda e: e.name in PROCESSES),
    "every_process": ((Kind.PROCESS,), lambda _: True),
    "every_predictor": ((Kind.PREDICTOR,), _fixed),
    "every_fixed_stepper": (STEPPERS, _fixed),
    "corrector": ((Kind.CORRECTOR,), lambda _: True),
    "stepper": (STEPPERS, lambda e: e.name in FIXED | ADAPTIVE),
    "fixed_stepper": (STEPPERS, lambda e: e.name in FIXED),
    "fixed_solver": ((Kind.ODE_SOLVER,), lambda e: e.name in FIXED),
    "adaptive_solver": ((Kind.ODE_SOLVER,), lambda e: e.name in ADAPTIVE),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise over plugins with their default parameters."""
    for argument, (kinds, chosen) in _ARGUMENTS.items():
        if argument in metafunc.fixturenames:
            found = [e for e in load_registry().of(*kinds) if chosen(e)]
            own = [e for e in found if e.source.distribution == "scorebench"]
            plugins: list[Any] = [e.cls() for e in own]
            metafunc.parametrize(argument, plugins, ids=[e.name for e in own])
