"""Likelihoods through the ODE against closed forms, and against a converged solver."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, difference
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

MODELS = ("gaussian_mixture", "random_mixture")
TOLERANCE = 0.005
"""Nats per dimension, on closed forms; of 1e-3 the prior N(0, s_max^2 I) is the cause."""

BITS, TEST = 0.01, "t over seeds, equivalence"
BUDGETS = (20, 320)

SUITES = """
exact_likelihood_mixture:
  models: [gaussian_mixture, {name: random_mixture, dim: 4}]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [20, 40, 80, 160, 320]
  samples: 64
  dtype: float64
  metrics: [{name: nll_nats, points: 128, probes: 0}]
exact_likelihood_digits:
  models: [digits_mlp]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [20, 40, 80, 160, 320]
  samples: 64
  metrics: [{name: nll_bpd, images: 64}]
"""


def judge(rows: Rows) -> Verdict:
    """Distances to the exact value, and to the converged one, at few and at many evaluations."""
    questions, lines = [], []
    for model in MODELS:
        found = rows.where(suite="exact_likelihood_mixture", model=model)
        value, exact, error = (
            found.where(metric=name).curve()
            for name in ("nll_nats", "nll_exact_nats", "nll_error_nats")
        )
        lines.append(error.line(model))
        for nfe in BUDGETS:
            gap, within = difference(value, exact, nfe), (-TOLERANCE, TOLERANCE)
            questions.append(Question(f"{model}, NFE {nfe}", gap, within, "nats/dim", TEST))
    digits = rows.where(suite="exact_likelihood_digits", metric="nll_bpd_error").curve()
    lines.append(digits.line("digits_mlp (bits/dim, to its converged value)"))
    for nfe in BUDGETS:
        label = f"digits_mlp, NFE {nfe}, to the converged value"
        questions.append(Question(label, digits.at(nfe), (-BITS, BITS), "bits/dim", TEST))
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
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.2, Eq. 39; tutorials",
    suites=SUITES,
    replicates=5,
    judge=judge,
)
