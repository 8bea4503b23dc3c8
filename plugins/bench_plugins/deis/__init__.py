"""Diffusion exponential integrator samplers (Zhang and Chen 2022, arXiv:2204.13902)."""

from bench.api import family
from bench_plugins.deis.multistep import DeisRhoAB as DeisRhoAB
from bench_plugins.deis.multistep import DeisTAB as DeisTAB
from bench_plugins.deis.rhork import DeisRhoRK as DeisRhoRK

bench_family = family(__name__)
