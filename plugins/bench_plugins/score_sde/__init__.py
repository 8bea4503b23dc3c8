"""Score-based generative modelling through SDEs (Song et al. 2021, arXiv:2011.13456)."""

from collections.abc import Sequence
from typing import Any

from bench.api import Corrector, NoiseProcess, Predictor, TimeGrid, hookimpl
from bench_plugins.score_sde.correctors import AnnealedLangevin, Langevin
from bench_plugins.score_sde.grid import UniformT
from bench_plugins.score_sde.hmc import HMC
from bench_plugins.score_sde.predictors import Ancestral, EulerMaruyama, ReverseDiffusion
from bench_plugins.score_sde.processes import VE, VP, SubVP


@hookimpl
def bench_processes() -> Sequence[type[NoiseProcess]]:
    return [VE, VP, SubVP]


@hookimpl
def bench_grids() -> Sequence[type[TimeGrid]]:
    return [UniformT]


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [EulerMaruyama, ReverseDiffusion, Ancestral]


@hookimpl
def bench_correctors() -> Sequence[type[Corrector]]:
    return [Langevin, AnnealedLangevin, HMC]
