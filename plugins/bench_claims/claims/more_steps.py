"""Samples of ODE and SDE at few evaluations and at many."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, below, log_ratio
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

STEPS = ((10, 50), (50, 300))
SOLVERS = {"dpmpp_2m": "ODE", "ancestral": "SDE"}
PLACES = (("digits", "digits_mlp", "fd_digits"), ("mixture", "random_mixture", "swd"))

SUITES = """
more_steps_digits:
  models: [digits_mlp]
  solvers: [dpmpp_2m, edm_heun, ancestral, dpmpp_2m_sde]
  nfe: [10, 20, 50, 300]
  samples: 1024
  batch: 1024
  metrics: [fd_digits]
more_steps_mixture:
  models: [random_mixture]
  solvers: [dpmpp_2m, edm_heun, ancestral, dpmpp_2m_sde]
  nfe: [10, 20, 50, 300]
  samples: 1024
  batch: 1024
  metrics: [swd]
"""


def judge(rows: Rows) -> Verdict:
    """The log ratio of the metric at more evaluations over that at fewer."""
    questions, panels = [], []
    for place, model, metric in PLACES:
        found = rows.where(suite=f"more_steps_{place}", metric=metric)
        curves = {solver: found.where(solver=solver).curve() for solver in SOLVERS}
        questions += [
            Question(
                f"{model}, {SOLVERS[solver]} ({solver}), {few} to {many}",
                log_ratio(curve, curve, many, few),
                below(0.0),
                "log ratio",
            )
            for solver, curve in curves.items()
            for few, many in STEPS
        ]
        lines = tuple(curve.line(f"{SOLVERS[s]} ({s})") for s, curve in curves.items())
        panels.append(Panel(f"{model}, VP", "NFE", metric, lines))
    return Verdict.of(answer(questions), panels)


CLAIM = Claim(
    name="more_steps",
    statement="More evaluations make better samples, from an ODE's solver as from an SDE's.",
    source="tutorials; Karras et al. 2022, arXiv:2206.00364, Section 4",
    suites=SUITES,
    replicates=5,
    judge=judge,
)
