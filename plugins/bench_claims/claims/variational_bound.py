"""The variational bound of DDPM's chain beside the likelihood of the ODE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench_claims.claim import Claim
from bench_claims.claims.exact_likelihood import SUITES
from bench_claims.inference import Question, above, answer, slopes
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Panel, Verdict

MODEL = "gaussian_mixture"
BUDGETS = (100, 1000)

_SUITES = (
    SUITES
    + """
variational_bound_mixture:
  models: [gaussian_mixture]
  grids: [log_snr]
  solvers: [ancestral]
  nfe: [30, 100, 300, 1000]
  replicates: 8
  samples: 64
  dtype: float64
  metrics: [{name: elbo, points: 256, draws: 4}]
variational_bound_digits:
  models: [digits_mlp]
  grids: [log_snr]
  solvers: [ancestral]
  nfe: [30, 100, 300, 1000]
  samples: 64
  metrics: [{name: elbo, points: 64}]
"""
)


def judge(rows: Rows) -> Verdict:
    """The distance of the bound above the exact value, or above the converged one of the ODE."""
    gap = rows.where(suite="variational_bound_mixture", metric="elbo_gap_nats").curve()
    bound = rows.where(suite="variational_bound_digits", metric="elbo_bpd").curve()
    ode = rows.where(suite="exact_likelihood_digits", metric="nll_bpd_converged").curve()
    loose = _above(bound, ode)
    questions = []
    for budget in BUDGETS:
        questions.append(
            Question(
                f"{MODEL}, NFE {budget}, above the exact value",
                gap.at(budget),
                above(0.0),
                "nats/dim",
                "t over seeds",
            )
        )
        questions.append(
            Question(
                f"digits_mlp, NFE {budget}, above the ODE's likelihood",
                loose.at(budget),
                above(0.0),
                "bits/dim",
            )
        )
    order = slopes(gap, gap.nfe)
    questions.append(
        Question(f"{MODEL}, order at which the gap closes", order, (0.8, 1.2), "", "t over seeds")
    )
    lines = (gap.line(f"{MODEL} (nats/dim)"), loose.line("digits_mlp (bits/dim)"))
    return Verdict.of(
        answer(questions), [Panel("bound less likelihood", "NFE", "gap per dimension", lines)]
    )


def _above(bound: Curve, ode: Curve) -> Curve:
    """The bound less the likelihood of the same points."""
    if not bound.values.size or ode.values.shape[:1] != bound.values.shape[:1]:
        return bound.of_seeds(np.arange(0))
    # Of one set of points in every seed: what differs is their dequantisation and their noise.
    return replace(bound, values=bound.values - ode.values[:, -1:])


CLAIM = Claim(
    name="variational_bound",
    statement="DDPM's variational bound is looser than the ODE's likelihood, and closes as steps "
    "grow.",
    source="Ho et al. 2020, arXiv:2006.11239, Eq. 5; Song et al. 2021, arXiv:2011.13456, Table 2",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
