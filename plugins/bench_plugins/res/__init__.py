"""RES, the refined exponential solver (Zhang, Song and Chen 2023, arXiv:2308.02157)."""

from bench.api import family
from bench_plugins.res.res_2s import Res2S as Res2S
from bench_plugins.res.res_2s_a import Res2SAncestral as Res2SAncestral
from bench_plugins.res.res_3s import Res3S as Res3S
from bench_plugins.res.res_3s_a import Res3SAncestral as Res3SAncestral
from bench_plugins.res.res_multistep import ResMultistep as ResMultistep
from bench_plugins.res.res_multistep_a import ResMultistepAncestral as ResMultistepAncestral

bench_family = family(__name__)
