"""Elucidating the design space of diffusion models (Karras et al. 2022, arXiv:2206.00364)."""

from bench.api import family
from bench_plugins.edm.churn import EdmChurn as EdmChurn
from bench_plugins.edm.grid import Karras as Karras
from bench_plugins.edm.heun import EdmHeun as EdmHeun
from bench_plugins.edm.process import EDM as EDM
from bench_plugins.edm.vp_process import EdmVP as EdmVP

bench_family = family(__name__)
