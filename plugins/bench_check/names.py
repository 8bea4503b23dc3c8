"""Our own solvers by the names that functions and schedulers of the same methods have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN: Mapping[str, str] = {
    "euler": "ddim",
    "ddim": "ddim",
    "euler_ancestral": "euler_a",
    "euler_a": "euler_a",
    "heun": "edm_heun",
    "edm_heun": "edm_heun",
    "edm": "edm_heun",
    "dpm_2": "dpm_solver_2",
    "dpm2": "dpm_solver_2",
    "dpm_2_ancestral": "dpm2_a",
    "dpm2_a": "dpm2_a",
    "lms": "lms",
    "dpmpp_2s_ancestral": "dpmpp_2s_a",
    "dpmpp_2m": "dpmpp_2m",
    "dpmpp_2m_sde": "dpmpp_2m_sde",
    "dpmpp_3m_sde": "dpmpp_3m_sde",
    "dpmpp_sde": "dpmpp_sde",
    "dpm_fast": "dpm_fast",
}
"""By the name of a function without `sample_` before it and `_sampler` behind."""


def own_of(function: str) -> str:
    """The name of our solver of the method that ``function`` is called after, or ""."""
    return OWN.get(function.lower().removeprefix("sample_").removesuffix("_sampler"), "")


_ORDERS: Mapping[str, int] = {
    "DDIMScheduler": 1,
    "DDIMParallelScheduler": 1,
    "DDPMScheduler": 1,
    "DDPMParallelScheduler": 1,
    "EDMEulerScheduler": 1,
    "EulerAncestralDiscreteScheduler": 1,
    "EulerDiscreteScheduler": 1,
    "FlowMatchEulerDiscreteScheduler": 1,
    "FlowMatchHeunDiscreteScheduler": 2,
    "HeunDiscreteScheduler": 2,
    "KDPM2AncestralDiscreteScheduler": 2,
    "KDPM2DiscreteScheduler": 2,
}
_RENOISED = {"EulerDiscreteScheduler", "EDMEulerScheduler", "FlowMatchEulerDiscreteScheduler"}
"""Where noise is an option, by which they become another method."""
_SAME: Mapping[str, str] = {
    "EDMEulerScheduler": "ddim",
    "EulerDiscreteScheduler": "ddim",
    "EulerAncestralDiscreteScheduler": "euler_a",
    "HeunDiscreteScheduler": "edm_heun",
    "KDPM2DiscreteScheduler": "dpm_solver_2",
    "KDPM2AncestralDiscreteScheduler": "dpm2_a",
    "LMSDiscreteScheduler": "lms",
}
_MULTISTEP: Mapping[tuple[str, int], str] = {
    ("dpmsolver++", 1): "ddim",
    ("dpmsolver++", 2): "dpmpp_2m",
    ("dpmsolver++", 3): "dpmpp_3m",
    ("dpmsolver", 2): "dpm_solver_multistep",
    ("sde-dpmsolver++", 2): "dpmpp_2m_sde",
    ("sde-dpmsolver++", 3): "dpmpp_3m_sde",
}


def scheduler_order(scheduler: Any, stochastic: bool) -> int | None:
    """The order that a scheduler of diffusers has by its configuration or its method, if known."""
    if stochastic and type(scheduler).__name__ in _RENOISED:
        return None
    configured = scheduler.config.get("solver_order")
    return _ORDERS.get(type(scheduler).__name__) if configured is None else int(configured)


def scheduler_own(scheduler: Any, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Our solver of a scheduler's method and its parameters, as docs/schedulers.md has them; ""."""
    name, config = type(scheduler).__name__, scheduler.config
    if name in ("DDIMScheduler", "DDIMParallelScheduler"):
        eta = float(arguments.get("eta", 0.0))
        return ("ddim_eta", {"eta": eta}) if eta else ("ddim", {})
    if name in ("DDPMScheduler", "DDPMParallelScheduler"):
        wide = config.get("variance_type") == "fixed_large"
        return "ancestral", {"forward_variance": True} if wide else {}
    if name in ("DPMSolverMultistepScheduler", "EDMDPMSolverMultistepScheduler"):
        second = config.get("solver_order") == 2 and config.get("solver_type") == "heun"
        kind = (config.get("algorithm_type"), config.get("solver_order"))
        return ("" if second else _MULTISTEP.get(kind, "")), {}
    if name == "UniPCMultistepScheduler" and config.get("solver_order") == 2:
        bh1 = config.get("solver_type") == "bh1"
        return "unipc", {"p": 2, "bh1": bh1, "predict_eps": not config.get("predict_x0")}
    if name == "PNDMScheduler" and config.get("skip_prk_steps"):
        return "plms", {}
    return ("" if arguments else _SAME.get(name, "")), {}
