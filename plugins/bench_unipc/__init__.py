"""UniPC (Zhao et al. 2023, arXiv:2302.04867)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return []
