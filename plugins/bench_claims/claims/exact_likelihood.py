"""Likelihoods through the ODE against closed forms, and against a converged solver."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, difference
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

MODELS = ("gaussian_mixture", "random_mixture")
TOLERANCE = 0.005
"""Nats per dimension, on closed forms; of 1e-3 the prior N(0, s_max^2 I) is the cause."""

BITS = 0.01
BUDGETS = (20, 320)

SUITES = """
exact_likelihood_mixture:
  models: [gaussian_mixture, random_mixture]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [20, 40, 80, 160, 320]
  samples: 64
  dtype: float64
  metrics: [{name: nll_nats, points: 256, probes: 0}]
exact_likelihood_digits:
  models: [digits_mlp]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [20, 40, 80, 160, 320]
  samples: 64
  metrics: [{name: nll_bpd, images: 64}]
"""


def judge(rows: Rows) -> Verdict:
    """Signed distances to the exact value, at few and at many evaluations."""
    questions, lines = [], []
    for model in MODELS:
        found = rows.where(suite="exact_likelihood_mixture", model=model)
        value, exact = (found.where(metric=name).curve() for name in ("nll_nats", "nll_exact_nats"))
        questions += [
            Question(
                f"{model}, NFE {budget}",
                difference(value, exact, budget),
                (-TOLERANCE, TOLERANCE),
                "nats/dim",
                "paired t over seeds, equivalence",
            )
            for budget in BUDGETS
        ]
        lines.append(found.where(metric="nll_error_nats").curve().line(model))
    digits = rows.where(suite="exact_likelihood_digits")
    error = digits.where(metric="nll_bpd_error").curve()
    questions += [
        Question(
            f"digits_mlp, NFE {budget}, to the converged value",
            error.at(budget),
            (-BITS, BITS),
            "bits/dim",
            "t over seeds, equivalence",
        )
        for budget in BUDGETS
    ]
    lines.append(error.line("digits_mlp (bits/dim, to its converged value)"))
    panel = Panel("mean absolute error, RK4 in log-SNR", "NFE", "nats/dim", tuple(lines))
    return Verdict.of(
        answer(questions),
        [panel],
        "The ODE's likelihood is exact in the limit of the solver's steps; that of a coarse "
        "solver is no likelihood.",
    )


CLAIM = Claim(
    name="exact_likelihood",
    statement="The probability-flow ODE gives exact likelihoods.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3, Eq. 39; tutorials",
    suites=SUITES,
    replicates=5,
    judge=judge,
)
