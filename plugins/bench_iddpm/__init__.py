"""Improved denoising diffusion probabilistic models (Nichol and Dhariwal 2021)."""

from collections.abc import Sequence

from bench.api import NoiseProcess, hookimpl
from bench_iddpm.process import CosineVP


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [CosineVP]
