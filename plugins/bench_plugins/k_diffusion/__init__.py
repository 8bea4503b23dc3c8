"""k-diffusion's samplers (Crowson 2022, github.com/crowsonkb/k-diffusion)."""

from bench.api import family
from bench_plugins.k_diffusion.dpm2_a import Dpm2Ancestral as Dpm2Ancestral
from bench_plugins.k_diffusion.dpmpp_2s_a import DpmPP2SAncestral as DpmPP2SAncestral
from bench_plugins.k_diffusion.dpmpp_3m_sde import DpmPP3MSde as DpmPP3MSde
from bench_plugins.k_diffusion.dpmpp_sde import DpmPPSde as DpmPPSde
from bench_plugins.k_diffusion.euler_a import EulerAncestral as EulerAncestral
from bench_plugins.k_diffusion.heunpp2 import HeunPP2 as HeunPP2
from bench_plugins.k_diffusion.lms import LMS as LMS

bench_family = family(__name__)
