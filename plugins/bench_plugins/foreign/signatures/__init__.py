"""The signatures of samplers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bench_plugins.foreign.signatures.base import Signature
from bench_plugins.foreign.signatures.dpm_solver import DpmSolver
from bench_plugins.foreign.signatures.edm import Edm
from bench_plugins.foreign.signatures.k_diffusion import KDiffusion
from bench_plugins.foreign.signatures.plain import Plain

SignatureName = Literal["k_diffusion", "edm", "dpm_solver", "callable"]

SIGNATURES: Mapping[SignatureName, Signature] = {
    "k_diffusion": KDiffusion(),
    "edm": Edm(),
    "dpm_solver": DpmSolver(),
    "callable": Plain(),
}
