"""Samplers of inverse problems: guidances and solvers that use an observation."""

from bench.api import family
from bench_plugins.inverse.daps import Daps as Daps
from bench_plugins.inverse.ddnm import Ddnm as Ddnm
from bench_plugins.inverse.ddnm import DdnmPlus as DdnmPlus
from bench_plugins.inverse.ddrm import Ddrm as Ddrm
from bench_plugins.inverse.diffpir import DdimZeta as DdimZeta
from bench_plugins.inverse.diffpir import DiffPir as DiffPir
from bench_plugins.inverse.dps import Dps as Dps
from bench_plugins.inverse.exact import ExactPosteriorScore as ExactPosteriorScore
from bench_plugins.inverse.mcg import Mcg as Mcg
from bench_plugins.inverse.mcgdiff import McgDiff as McgDiff
from bench_plugins.inverse.pigdm import PiGdm as PiGdm
from bench_plugins.inverse.repaint import RePaint as RePaint
from bench_plugins.inverse.replacement import Replacement as Replacement

bench_family = family(__name__)
