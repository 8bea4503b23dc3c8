"""Pseudo numerical methods (Liu et al. 2022, arXiv:2202.09778) and their improvements."""

from bench.api import family
from bench_plugins.pndm.ipndm import IPNDM as IPNDM
from bench_plugins.pndm.ipndm_v import IPNDMv as IPNDMv
from bench_plugins.pndm.pndm import PLMS as PLMS
from bench_plugins.pndm.pndm import PNDM as PNDM

bench_family = family(__name__)
