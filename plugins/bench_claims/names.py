"""The names and titles of the claims: each is a module of `bench_claims.claims`, its ``CLAIM``.

`--help` reads them here, where nothing loads pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "rk45_saves": "RK45 saves nine evaluations of ten",
        "predictor_corrector": "Correctors pay at equal compute",
        "same_marginals": "ODE and SDE share their marginals",
        "unique_codes": "Codes are unique",
        "exact_likelihood": "Likelihoods through the ODE are exact",
        "variational_bound": "The variational bound is looser than the likelihood",
        "subvp_likelihood": "Sub-VP has the better likelihood",
        "orders": "Local and global orders",
        "last_denoise": "The last denoising step matters",
        "more_steps": "More steps are better",
        "sde_or_ode": "ODE at few evaluations, SDE at many",
        "adaptive_steps": "Adaptive steps are faster at equal quality",
    }
)
