"""Pseudo numerical methods (Liu et al. 2022, arXiv:2202.09778) and their improvements."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return []
