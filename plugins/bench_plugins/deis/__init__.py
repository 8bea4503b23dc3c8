"""Diffusion exponential integrator samplers (Zhang and Chen 2022, arXiv:2204.13902)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_plugins.deis.multistep import DeisRhoAB, DeisTAB
from bench_plugins.deis.rhork import DeisRhoRK


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [DeisTAB, DeisRhoAB, DeisRhoRK]
