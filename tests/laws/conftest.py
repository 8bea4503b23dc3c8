"""Plugins of the distribution, handed to the laws by the name of the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.api import Adaptive, TimeGrid
from bench.registry import Entry, Kind, load_registry
from bench_plugins.models.closed_form import Mixture

# Steps jump in length (whole levels, interpolated tables): errors do not fall smoothly with N.
UNEVEN = {"linspace", "leading", "trailing", "ays"}

# One of each kind of formula: the kit measures every plugin's order, cost and directions.
FIXED = {
    "ddim", "edm_heun", "rk4", "flow_heun", "dpmpp_2m", "deis_tab", "dpm_fast", "unipc", "pndm",
    "ancestral", "euler_maruyama", "seeds_2", "sa_solver", "edm_churn", "dpmpp_3m_sde",
}  # fmt: skip
ADAPTIVE = {"tsit5", "dpm_adaptive_23", "rk45", "dopri5"}


def _needs_calibration(entry: Entry) -> bool:
    return issubclass(entry.cls, TimeGrid) and entry.cls.needs_calibration


def _goes_anywhere(entry: Entry) -> bool:
    """True for grids of every range; the levels of diffusers' schedulers are their own."""
    return not _needs_calibration(entry) and entry.name != "diffusers"


_ARGUMENTS: dict[str, tuple[tuple[Kind, ...], Callable[[Entry], bool]]] = {
    "process": ((Kind.PROCESS,), lambda _: True),
    "grid": ((Kind.GRID,), _goes_anywhere),
    "smooth_grid": ((Kind.GRID,), lambda e: _goes_anywhere(e) and e.name not in UNEVEN),
    "predictor": ((Kind.PREDICTOR,), lambda e: e.name in FIXED),
    "corrector": ((Kind.CORRECTOR,), lambda _: True),
    "every_fixed_solver": ((Kind.ODE_SOLVER,), lambda e: not issubclass(e.cls, Adaptive)),
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


def _isotropic(weights: list[float], means: list[list[float]], stds: list[float]) -> Mixture:
    centres = torch.tensor(means, dtype=torch.float64)
    variances = torch.tensor(stds, dtype=torch.float64).square()
    covariances = torch.eye(centres.shape[1], dtype=torch.float64) * variances[:, None, None]
    return Mixture.of(torch.tensor(weights, dtype=torch.float64), centres, covariances)


@pytest.fixture(scope="session")
def line() -> Mixture:
    """Three Gaussians on the line."""
    return _isotropic([0.5, 0.3, 0.2], [[-1.0], [0.4], [1.5]], [0.4, 0.3, 0.6])


@pytest.fixture(scope="session")
def plane() -> Mixture:
    """Three Gaussians in the plane, one of them oblique."""
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    means = torch.tensor([[-1.0, -0.5], [0.8, 0.9], [0.6, -1.0]], dtype=torch.float64)
    covariances = torch.tensor(
        [[[0.2, 0.1], [0.1, 0.3]], [[0.15, 0.0], [0.0, 0.1]], [[0.3, -0.2], [-0.2, 0.25]]],
        dtype=torch.float64,
    )
    return Mixture.of(weights, means, covariances)
