"""k-diffusion's samplers and schedules, by the names of their functions."""

from __future__ import annotations

from bench.api import Alias

BROWNIAN = (
    "0.8: theirs takes the noise of both half steps from one Brownian path in sigma, ours from one "
    "in the SDE's own time; the same as steps shrink"
)
QUADRATURE = "1.1e-4: theirs integrates its weights numerically, to 1e-4"
ADAPTIVE = "theirs shares its steps within a batch; ours has steps of each sample's own"
FAST = "theirs chooses its levels: the grid log_snr"

K_DIFFUSION = (
    Alias("k:sample_euler", "ddim", {}, "4e-16; without s_churn"),
    Alias("k:sample_euler_ancestral", "euler_a", {}, "4e-16"),
    Alias("k:sample_heun", "edm_heun", {}, "5e-16; without s_churn"),
    Alias("k:sample_dpm_2", "dpm_solver_2", {}, "7e-16; without s_churn"),
    Alias("k:sample_dpm_2_ancestral", "dpm2_a", {}, "6e-16"),
    Alias("k:sample_lms", "lms", {}, QUADRATURE),
    Alias("k:sample_dpm_fast", "dpm_fast", {}, FAST),
    Alias("k:sample_dpm_adaptive", "dpm_adaptive_23", {}, ADAPTIVE),
    Alias("k:sample_dpmpp_2s_ancestral", "dpmpp_2s_a", {}, "7e-16"),
    Alias("k:sample_dpmpp_sde", "dpmpp_sde", {}, BROWNIAN),
    Alias("k:sample_dpmpp_2m", "dpmpp_2m", {}, "6e-16"),
    Alias("k:sample_dpmpp_2m_sde", "dpmpp_2m_sde", {}, "1e-15; solver_type midpoint, the default"),
    Alias("k:sample_dpmpp_3m_sde", "dpmpp_3m_sde", {}, "2e-15"),
    Alias("k:get_sigmas_karras", "karras", {}, "7e-7 (theirs is float32)"),
    Alias("k:get_sigmas_exponential", "exponential", {}, "4e-7 (theirs is float32)"),
    Alias("k:get_sigmas_polyexponential", "exponential", {}, "6e-7 (float32); rho 1, the default"),
)
"""``note`` begins with the largest difference of samples (of levels), as share of the largest: of
20 steps of `karras` from 50 to 0.01 on a mixture, in float64, with the same noise."""
