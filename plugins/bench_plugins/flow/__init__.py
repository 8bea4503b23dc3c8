"""Rectified flow and flow matching (Liu et al. 2022; Lipman et al. 2022)."""

from collections.abc import Sequence
from typing import Any

from bench.api import NoiseProcess, OdeSolver, TimeGrid, hookimpl
from bench_plugins.flow.euler import FlowEuler
from bench_plugins.flow.grid import FlowShift
from bench_plugins.flow.heun import FlowHeun
from bench_plugins.flow.process import RectifiedFlow


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [RectifiedFlow]


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [FlowShift]


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [FlowEuler, FlowHeun]
