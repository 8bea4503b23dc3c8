"""Samplers and schedulers of ComfyUI and of the Stable Diffusion web UI.

Those that are k-diffusion's functions, and others whose method is the same by their code; these
programs are not run here.
"""

from __future__ import annotations

from bench.api import Alias
from bench_plugins.aliases.k_diffusion import ADAPTIVE, BROWNIAN, FAST, QUADRATURE

_SAMPLERS = (
    ("euler", "Euler", "ddim", ""),
    ("euler_ancestral", "Euler a", "euler_a", ""),
    ("heun", "Heun", "edm_heun", ""),
    ("dpm_2", "DPM2", "dpm_solver_2", ""),
    ("dpm_2_ancestral", "DPM2 a", "dpm2_a", ""),
    ("lms", "LMS", "lms", QUADRATURE),
    ("dpm_fast", "DPM fast", "dpm_fast", FAST),
    ("dpm_adaptive", "DPM adaptive", "dpm_adaptive_23", ADAPTIVE),
    ("dpmpp_2s_ancestral", "DPM++ 2S a", "dpmpp_2s_a", ""),
    ("dpmpp_sde", "DPM++ SDE", "dpmpp_sde", BROWNIAN),
    ("dpmpp_2m", "DPM++ 2M", "dpmpp_2m", ""),
    ("dpmpp_2m_sde", "DPM++ 2M SDE", "dpmpp_2m_sde", ""),
    ("dpmpp_3m_sde", "DPM++ 3M SDE", "dpmpp_3m_sde", ""),
    ("ddim", "DDIM", "ddim", ""),
)
"""Theirs and theirs, ours, and the difference of k-diffusion's function."""

_SCHEDULES = (
    ("karras", "Karras", "karras"),
    ("exponential", "Exponential", "exponential"),
    ("kl_optimal", "KL Optimal", "cosine"),
)

_BROWNIAN = ("dpmpp_sde_gpu", "dpmpp_sde"), ("dpmpp_2m_sde_gpu", "dpmpp_2m_sde")
_THREE = {"p": 3, "bh1": True, "lower_order_final": True}

PROGRAMS = (
    *(Alias(f"comfy:{name}", ours, {}, note) for name, _, ours, note in _SAMPLERS),
    *(Alias(f"comfy:{name}", ours) for name, ours in _BROWNIAN),
    Alias("comfy:dpmpp_3m_sde_gpu", "dpmpp_3m_sde"),
    Alias("comfy:ddpm", "ancestral"),
    Alias("comfy:uni_pc", "unipc", _THREE, "theirs has order 3 from 5 steps on"),
    Alias(
        "comfy:uni_pc_bh2", "unipc", {**_THREE, "bh1": False}, "theirs has order 3 from 5 steps on"
    ),
    Alias("comfy:ipndm", "ipndm"),
    Alias("comfy:ipndm_v", "ipndm_v"),
    Alias("comfy:er_sde", "er_sde", {}, "their noise scaler is that of SDE_5, ours too"),
    Alias("comfy:seeds_2", "seeds_2"),
    Alias("comfy:seeds_3", "seeds_3"),
    Alias("comfy:sa_solver", "sa_solver", {}, "theirs: tau in a window of timesteps"),
    *(Alias(f"webui:{name}", ours, {}, note) for _, name, ours, note in _SAMPLERS),
    Alias("webui:PLMS", "plms"),
    Alias("webui:UniPC", "unipc", _THREE),
    *(Alias(f"comfy:{name}", ours) for name, _, ours in _SCHEDULES),
    *(Alias(f"webui:{name}", ours) for _, name, ours in _SCHEDULES),
    Alias("webui:Polyexponential", "exponential", {}, "rho 1, the default"),
    Alias("webui:Align Your Steps", "ays", {}, "ours is stretched to s_min .. s_max"),
)
