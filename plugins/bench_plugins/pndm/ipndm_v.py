"""Improved PNDM with variable-step coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import AdamsBashforthInS, paper


@dataclass(frozen=True)
class IPNDMv(AdamsBashforthInS):
    """Variable-step iPNDM: the coefficients are those of unequal steps in s; order 2 as started.

    It coincides with k-diffusion's LMS (``lms``) and with DEIS's rhoAB. The coefficients are
    exact; diff-sampler's code for this method misplaces a parenthesis in them.

    Attributes:
        highest: the most evaluations that a step combines, 1 (DDIM) to 4.
    """

    name: ClassVar[str] = "ipndm_v"
    reference: ClassVar[str] = (
        "Zhang and Chen 2022, arXiv:2204.13902; Zhou et al. 2023, arXiv:2312.00094 (iPNDM_v)"
    )
    bibtex: ClassVar[str] = paper("zhang2023deis") + paper("zhou2024fast")
