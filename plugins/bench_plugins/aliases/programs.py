"""Samplers and schedulers of ComfyUI and of the Stable Diffusion web UI.

Those that are k-diffusion's functions, and others whose method is the same by their code; these
programs are not run here.
"""

from __future__ import annotations

from bench.api import Alias
from bench_plugins.aliases.k_diffusion import ADAPTIVE, BROWNIAN, FAST, QUADRATURE

_SKIPS = "they leave out the last level but one of the schedule"
_FLOW = "of flow models ComfyUI runs flow_ancestral"
_UNIPC = f"theirs has order 3 from 5 steps on, and ends at s = 0.001 without a denoise; {_SKIPS}"
_TAU = "theirs: tau is 1 between 20 % and 80 % of the timesteps, else 0"

_SAMPLERS = (
    ("euler", "Euler", "ddim", ""),
    ("euler_ancestral", "Euler a", "euler_a", _FLOW),
    ("heun", "Heun", "edm_heun", ""),
    ("dpm_2", "DPM2", "dpm_solver_2", _SKIPS),
    ("dpm_2_ancestral", "DPM2 a", "dpm2_a", _SKIPS),
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
)

_THREE = {"p": 3, "bh1": True, "lower_order_final": True}
_ADAMS = {"predictor_order": 3, "corrector_order": 4}
_EXPONENTIAL_HEUN = {"r": 1.0, "phi_2": True}

_COMFY = (
    *(Alias(f"comfy:{name}", ours, {}, note) for name, _, ours, note in _SAMPLERS),
    Alias("comfy:dpmpp_sde_gpu", "dpmpp_sde", {}, BROWNIAN),
    Alias("comfy:dpmpp_2m_sde_gpu", "dpmpp_2m_sde"),
    Alias("comfy:dpmpp_2m_sde_heun", "dpmpp_2m_sde", {"heun": True}),
    Alias("comfy:dpmpp_3m_sde_gpu", "dpmpp_3m_sde"),
    Alias("comfy:ddpm", "ancestral"),
    Alias("comfy:heunpp2", "heunpp2"),
    Alias("comfy:uni_pc", "unipc", _THREE, _UNIPC),
    Alias("comfy:uni_pc_bh2", "unipc", {**_THREE, "bh1": False}, _UNIPC),
    Alias("comfy:ipndm", "ipndm"),
    Alias("comfy:ipndm_v", "ipndm_v"),
    Alias("comfy:res_multistep", "res_multistep"),
    Alias("comfy:res_multistep_ancestral", "res_multistep_a"),
    Alias("comfy:gradient_estimation", "gradient_estimation"),
    Alias("comfy:er_sde", "er_sde", {}, "their noise scaler is that of SDE_5, ours too"),
    Alias("comfy:seeds_2", "seeds_2"),
    Alias("comfy:seeds_3", "seeds_3"),
    Alias("comfy:exp_heun_2_x0", "seeds_2", {**_EXPONENTIAL_HEUN, "eta": 0.0}),
    Alias("comfy:exp_heun_2_x0_sde", "seeds_2", _EXPONENTIAL_HEUN),
    Alias("comfy:sa_solver", "sa_solver", _ADAMS, _TAU),
    Alias("comfy:sa_solver_pece", "sa_solver", {**_ADAMS, "pece": True}, _TAU),
    *(Alias(f"comfy:{name}", ours) for name, _, ours in _SCHEDULES),
    Alias("comfy:kl_optimal", "cosine"),
    Alias("comfy:beta", "beta", {}, "theirs rounds to a table of timesteps"),
    Alias(
        "comfy:linear_quadratic",
        "linear_quadratic",
        {},
        "of flow models; of others theirs is linear and quadratic in sigma",
    ),
)

_WEBUI = (
    *(
        Alias(f"webui:{name}", ours, {}, "" if note is _FLOW else note)
        for _, name, ours, note in _SAMPLERS
        if name != "DPM++ 3M SDE"
    ),
    Alias("webui:DPM++ 3M SDE", "dpmpp_3m_sde", {}, _SKIPS),
    Alias("webui:DPM++ 2M SDE Heun", "dpmpp_2m_sde", {"heun": True}),
    Alias("webui:PLMS", "plms"),
    Alias("webui:UniPC", "unipc", _THREE),
    *(Alias(f"webui:{name}", ours) for _, name, ours in _SCHEDULES),
    Alias("webui:KL Optimal", "cosine", {}, "theirs ends at sigma_min, without a step to 0"),
    Alias("webui:Polyexponential", "exponential", {}, "rho 1, the default"),
    Alias("webui:Align Your Steps", "ays", {}, "ours is stretched to s_min .. s_max"),
)

PROGRAMS = (*_COMFY, *_WEBUI)
"""Of the web UI's `Beta`, whose quantiles are of sigma, and of schedules made of a table there is
none of ours."""
