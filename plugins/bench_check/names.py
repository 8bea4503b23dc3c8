"""Our own solvers by the names that functions of the same methods have."""

from __future__ import annotations

from collections.abc import Mapping

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
}
"""By the name of a function without `sample_` before it and `_sampler` behind."""


def own_of(function: str) -> str:
    """The name of our solver of the method that ``function`` is called after, or ""."""
    return OWN.get(function.lower().removeprefix("sample_").removesuffix("_sampler"), "")
