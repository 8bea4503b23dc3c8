"""RK45 at a tenth of the evaluations of the SDE's samplers: is its quality the same?"""

from __future__ import annotations

import math

import numpy as np

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, below, common
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Floats, Panel, Verdict

MARGINS = {"no worse": 1.0, "worse by less than 20 %": 1.2}
"""Factors on the metric of the SDE's sampler."""

SHARE = 0.1
"""Of the SDE sampler's evaluations."""

_SUITES = """
rk45_saves_digits:
  models: [digits_mlp]
  solvers: [{name: rk45, rtol: [1.0e-1, 1.0e-2, 1.0e-3, 1.0e-4]}]
  samples: 1024
  metrics: [fd_digits]
rk45_saves_digits_sde:
  models: [digits_mlp]
  grids: [uniform_t]
  solvers: [reverse_diffusion]
  nfe: [1000]
  samples: 1024
  batch: 1024
  metrics: [fd_digits]
"""


def at_a_tenth(fast: Curve, slow: Curve) -> Floats:
    """Log ratios of the metric, of each seed: the fast one's over that of the slow one at its end.

    The fast one's is that of its finest tolerance with at most a tenth of the slow one's
    evaluations: chosen by cost, whatever the quality. Empty where none is so cheap.
    """
    one, other = common(fast, slow)
    cheap = one.nfe <= SHARE * other.nfe[-1] if other.nfe.size else np.zeros(0, dtype=bool)
    if not cheap.any():
        return np.empty(0)
    return np.asarray(np.log(one.values[:, cheap][:, -1] / other.values[:, -1]))


def judge(rows: Rows) -> Verdict:
    """Its Frechet distance against that of reverse diffusion at a thousand evaluations."""
    fast, slow = (
        rows.where(suite=suite, metric="fd_digits").curve()
        for suite in ("rk45_saves_digits", "rk45_saves_digits_sde")
    )
    ratios = at_a_tenth(fast, slow)
    questions = [
        Question(f"digits_mlp: {how}", ratios, below(math.log(margin)), "log ratio of FD")
        for how, margin in MARGINS.items()
    ]
    lines = (fast.line("RK45"), slow.line("reverse diffusion"))
    return Verdict.of(
        answer(questions),
        [Panel("digits_mlp, VP", "NFE", "fd_digits", lines)],
        "Compared at the finest tolerance that takes at most a tenth of the evaluations.",
    )


CLAIM = Claim(
    name="rk45_saves",
    statement="An adaptive RK45 on the probability-flow ODE saves over 90 % of the evaluations "
    "of the SDE's samplers at equal quality.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3; tutorials",
    suites=_SUITES,
    replicates=10,
    judge=judge,
)
