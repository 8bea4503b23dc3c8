"""Schedulers of diffusers, with their default parameters where nothing else is said."""

from __future__ import annotations

from bench.api import Alias

_NOISE_ALONE = "theirs starts from noise alone (s infinite): of the order of 1/s_max off"
_HALVES = "no common levels: theirs has its half steps on its own grid"

DIFFUSERS = (
    Alias("diffusers:DDIMScheduler", "ddim", {}, "1e-7; `clip_sample` off"),
    Alias("diffusers:DDIMParallelScheduler", "ddim", {}, "1e-7; `clip_sample` off"),
    Alias("diffusers:DDPMScheduler", "ancestral", {}, "2e-7; `clip_sample` off"),
    Alias("diffusers:DDPMParallelScheduler", "ancestral", {}, "2e-7; `clip_sample` off"),
    Alias("diffusers:UnCLIPScheduler", "ancestral", {}, "not measured; `clip_sample` off"),
    Alias("diffusers:DPMSolverMultistepScheduler", "dpmpp_2m", {}, "3e-7"),
    Alias("diffusers:EDMDPMSolverMultistepScheduler", "dpmpp_2m", {}, "1e-7"),
    Alias("diffusers:DPMSolverSDEScheduler", "dpmpp_sde", {}, "the distribution; needs torchsde"),
    Alias("diffusers:DEISMultistepScheduler", "deis_tab", {"q": 1}, "5e-7 under `ve` alone"),
    Alias("diffusers:UniPCMultistepScheduler", "unipc", {"p": 2}, "2e-7"),
    Alias("diffusers:SASolverScheduler", "sa_solver", {}, "theirs: tau by timestep, 200 to 800"),
    Alias("diffusers:EulerDiscreteScheduler", "ddim", {}, "3e-7"),
    Alias("diffusers:EDMEulerScheduler", "ddim", {}, "4e-7"),
    Alias("diffusers:EulerAncestralDiscreteScheduler", "euler_a", {}, "2e-7"),
    Alias("diffusers:HeunDiscreteScheduler", "edm_heun", {}, "5e-16"),
    Alias("diffusers:KDPM2DiscreteScheduler", "dpm_solver_2", {}, "3e-9"),
    Alias("diffusers:KDPM2AncestralDiscreteScheduler", "dpm2_a", {}, "1e-7"),
    Alias("diffusers:LMSDiscreteScheduler", "lms", {}, "1.1e-4: its quadrature is to 1e-4"),
    Alias("diffusers:PNDMScheduler", "pndm", {}, _HALVES),
    Alias("diffusers:IPNDMScheduler", "ipndm", {}, "5e-2: its first evaluation is not used"),
    Alias("diffusers:FlowMatchEulerDiscreteScheduler", "flow_euler", {}, _NOISE_ALONE),
    Alias("diffusers:FlowMatchHeunDiscreteScheduler", "flow_heun", {}, _NOISE_ALONE),
)
"""``note`` begins with the largest difference of samples, as share of the largest one, on the
scheduler's own levels; docs/schedulers.md has the conditions."""
