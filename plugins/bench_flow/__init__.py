"""Rectified flow and flow matching (Liu et al. 2022; Lipman et al. 2022)."""

from collections.abc import Sequence

from bench.api import NoiseProcess, hookimpl
from bench_flow.process import RectifiedFlow


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [RectifiedFlow]
