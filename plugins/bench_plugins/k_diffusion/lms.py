"""k-diffusion's linear multistep method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import AdamsBashforthInS, paper


@dataclass(frozen=True)
class LMS(AdamsBashforthInS):
    """Katherine Crowson's LMS sampler; order 2 as started, one evaluation per step.

    It is the variable-step Adams-Bashforth method on dy/ds = eps(y; s), and so coincides with
    variable-step iPNDM (``ipndm_v``) and with DEIS's rhoAB. The weights are exact, where
    k-diffusion integrates the polynomials numerically to a relative 1e-4.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

    name: ClassVar[str] = "lms"
    reference: ClassVar[str] = (
        "Crowson 2022, github.com/crowsonkb/k-diffusion, sample_lms; Hairer, Norsett and Wanner "
        "1993, Section III.5"
    )
    bibtex: ClassVar[str] = paper("hairer1993solving") + paper("crowson2022kdiffusion")
