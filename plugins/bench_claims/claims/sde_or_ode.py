"""ODE solvers at few evaluations and SDE solvers at many, on the rows of `more_steps`."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.claims.more_steps import SUITES
from bench_claims.inference import Question, answer, below, log_ratio
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

FEW, MANY = 10, 300
# A multistep solver of either, then a method of either's own paper.
ODE, SDE = ("dpmpp_2m", "edm_heun"), ("dpmpp_2m_sde", "ancestral")
PLACES = (("digits", "digits_mlp", "fd_digits"), ("mixture", "random_mixture", "swd"))


def judge(rows: Rows) -> Verdict:
    """Log ratios: of ODE over SDE at few evaluations, of SDE over ODE at many."""
    questions, panels = [], []
    for place, model, metric in PLACES:
        found = rows.where(suite=f"more_steps_{place}", metric=metric)
        curves = {solver: found.where(solver=solver).curve() for solver in (*ODE, *SDE)}
        for ode, sde in zip(ODE, SDE, strict=True):
            few = log_ratio(curves[ode], curves[sde], FEW)
            many = log_ratio(curves[sde], curves[ode], MANY)
            questions += [
                Question(f"{model}, NFE {FEW}: {ode} over {sde}", few, below(0.0), "log ratio"),
                Question(f"{model}, NFE {MANY}: {sde} over {ode}", many, below(0.0), "log ratio"),
            ]
        lines = tuple(curve.line(solver) for solver, curve in curves.items())
        panels.append(Panel(f"{model}, VP", "NFE", metric, lines))
    return Verdict.of(answer(questions), panels)


CLAIM = Claim(
    name="sde_or_ode",
    statement="At few evaluations ODE solvers give the better samples, at many SDE solvers do.",
    source="Song et al. 2021, arXiv:2011.13456, Table 1; Karras et al. 2022, arXiv:2206.00364, "
    "Section 4; Xu et al. 2023, arXiv:2306.14878",
    suites=SUITES,
    replicates=5,
    judge=judge,
)
