"""Pseudo numerical methods (Liu et al. 2022, arXiv:2202.09778) and their improvements."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, hookimpl
from bench_plugins.pndm.ipndm import IPNDM
from bench_plugins.pndm.ipndm_v import IPNDMv
from bench_plugins.pndm.pndm import PLMS, PNDM


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [IPNDM, IPNDMv, PNDM, PLMS]
