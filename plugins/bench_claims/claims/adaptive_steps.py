"""Evaluations that adaptive and fixed-step solvers take to the same error."""

from __future__ import annotations

import numpy as np

from bench_claims.claim import Claim
from bench_claims.inference import Question, above, answer, common, reach
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Floats, Panel, Verdict

TARGETS = {"random_mixture": (0.05, 0.002), "digits_mlp": (0.05, 0.01)}
ADAPTIVE, FIXED = ("rk45", "tsit5"), ("dpmpp_2m", "edm_heun")
LADDER = "[0.3, 0.1, 3.0e-2, 1.0e-2, 1.0e-3, 1.0e-4]"

_SUITES = f"""
adaptive_steps:
  models: [random_mixture, digits_mlp]
  solvers:
    - {{name: rk45, rtol: {LADDER}}}
    - {{name: tsit5, rtol: {LADDER}}}
    - {{name: dpmpp_2m, grids: [log_snr]}}
    - {{name: edm_heun, grids: [karras]}}
  nfe: [10, 20, 40, 80, 160, 320]
  samples: 128
  metrics: [{{name: rmse, samples: 128, reference_steps: 256}}]
"""


def cheaper(fixed: Curve, adaptive: Curve, target: float) -> Floats:
    """Of common seeds, log of the fixed solver's NFE to the target over the adaptive one's.

    Empty where one of them does not come to it.
    """
    one, other = common(fixed, adaptive)
    goal = np.full(len(one.seeds), target)
    ratio = np.log(reach(one, goal) / reach(other, goal))
    return ratio if np.isfinite(ratio).all() else np.empty(0)


def judge(rows: Rows) -> Verdict:
    """Each adaptive solver against each fixed one, to a coarse and to a fine error."""
    questions, panels = [], []
    for model, targets in TARGETS.items():
        found = rows.where(suite="adaptive_steps", model=model, metric="rmse")
        curves = {solver: found.where(solver=solver).curve() for solver in (*ADAPTIVE, *FIXED)}
        questions += [
            Question(
                f"{model}, rmse {target:g}: {fixed} over {adaptive}",
                cheaper(curves[fixed], curves[adaptive], target),
                above(0.0),
                "log ratio of NFE",
            )
            for target in targets
            for adaptive in ADAPTIVE
            for fixed in FIXED
        ]
        lines = tuple(curve.line(solver) for solver, curve in curves.items())
        panels.append(Panel(f"{model}, VP", "NFE", "rmse", lines))
    return Verdict.of(answer(questions), panels)


CLAIM = Claim(
    name="adaptive_steps",
    statement="Adaptive steps are faster at equal quality than fixed ones.",
    source="tutorials; Song et al. 2021, arXiv:2011.13456, Section 4.3; Jolicoeur-Martineau et al. "
    "2021, arXiv:2105.14080",
    suites=_SUITES,
    replicates=4,
    judge=judge,
)
