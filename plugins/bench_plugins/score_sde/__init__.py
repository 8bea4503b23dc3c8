"""Score-based generative modelling through SDEs (Song et al. 2021, arXiv:2011.13456)."""

from bench.api import family
from bench_plugins.score_sde.correctors import AnnealedLangevin as AnnealedLangevin
from bench_plugins.score_sde.correctors import Langevin as Langevin
from bench_plugins.score_sde.grid import UniformT as UniformT
from bench_plugins.score_sde.hmc import HMC as HMC
from bench_plugins.score_sde.predictors import Ancestral as Ancestral
from bench_plugins.score_sde.predictors import EulerMaruyama as EulerMaruyama
from bench_plugins.score_sde.predictors import ReverseDiffusion as ReverseDiffusion
from bench_plugins.score_sde.processes import VE as VE
from bench_plugins.score_sde.processes import VP as VP
from bench_plugins.score_sde.processes import SubVP as SubVP

bench_family = family(__name__)
