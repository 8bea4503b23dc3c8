"""k-diffusion's samplers (Crowson 2022, github.com/crowsonkb/k-diffusion)."""

from collections.abc import Sequence
from typing import Any

from bench.api import OdeSolver, Predictor, hookimpl
from bench_plugins.k_diffusion.dpm2_a import Dpm2Ancestral
from bench_plugins.k_diffusion.dpmpp_2s_a import DpmPP2SAncestral
from bench_plugins.k_diffusion.dpmpp_3m_sde import DpmPP3MSde
from bench_plugins.k_diffusion.dpmpp_sde import DpmPPSde
from bench_plugins.k_diffusion.euler_a import EulerAncestral
from bench_plugins.k_diffusion.lms import LMS


@hookimpl
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:
    return [LMS]


@hookimpl
def bench_predictors() -> Sequence[type[Predictor[Any]]]:
    return [EulerAncestral, Dpm2Ancestral, DpmPP2SAncestral, DpmPPSde, DpmPP3MSde]
