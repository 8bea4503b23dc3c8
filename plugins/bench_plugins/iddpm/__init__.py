"""Improved denoising diffusion probabilistic models (Nichol and Dhariwal 2021)."""

from collections.abc import Sequence

from bench.api import NoiseProcess, TimeGrid, hookimpl
from bench_plugins.iddpm.grid import Cosine
from bench_plugins.iddpm.process import CosineVP


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [CosineVP]


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [Cosine]
