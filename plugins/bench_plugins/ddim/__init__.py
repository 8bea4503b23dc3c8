"""Denoising diffusion implicit models (Song, Meng and Ermon 2020, arXiv:2010.02502)."""

from bench.api import family
from bench_plugins.ddim.ddim import DDIM as DDIM
from bench_plugins.ddim.ddim_eta import DDIMEta as DDIMEta
from bench_plugins.ddim.discrete import Leading as Leading
from bench_plugins.ddim.discrete import Linspace as Linspace
from bench_plugins.ddim.discrete import Trailing as Trailing
from bench_plugins.ddim.grid import Quadratic as Quadratic

bench_family = family(__name__)
