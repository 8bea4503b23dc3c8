"""Improved denoising diffusion probabilistic models (Nichol and Dhariwal 2021)."""

from bench.api import family
from bench_plugins.iddpm.grid import Cosine as Cosine
from bench_plugins.iddpm.process import CosineVP as CosineVP
from bench_plugins.iddpm.table import TableProcess as TableProcess

bench_family = family(__name__)
