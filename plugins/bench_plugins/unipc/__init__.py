"""UniPC (Zhao et al. 2023, arXiv:2302.04867)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_plugins.unipc.unipc import UniPC


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [UniPC]
