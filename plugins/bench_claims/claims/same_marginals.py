"""Distributions of the ODE's and the SDE's samples, both converged and both coarse."""

from __future__ import annotations

import math

from bench_claims.claim import Claim
from bench_claims.claims.more_steps import SUITES
from bench_claims.inference import Question, answer, below, difference, log_ratio
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

MODEL = "gaussian_mixture"
MARGIN = 0.01
"""Data units, of the sliced Wasserstein distance."""

CHANCE = 4.0
"""The largest excess distance at five times, in standard deviations; about 2 by chance alone."""

SHARE = math.log(1.1)
"""Of the Frechet distance: within 10 %."""

ODE_NFE, SDE_NFE, COARSE = 201, 600, 20
NET_NFE = 300

_SUITES = (
    SUITES
    + """
same_marginals_mixture:
  models: [gaussian_mixture]
  grids: [log_snr]
  solvers: [edm_heun, ancestral]
  nfe: [20, 201, 600]
  samples: 2048
  batch: 2048
  metrics: [swd, {name: marginals, levels: 5}]
"""
)


def judge(rows: Rows) -> Verdict:
    """x_t against p_t on the way, and equivalence of the two samplers' ends."""
    mixture = rows.where(suite="same_marginals_mixture")
    digits = rows.where(suite="more_steps_digits", metric="fd_digits")
    (ode, sde), (net_ode, net_sde) = (
        [found.where(solver=solver).curve() for solver in ("edm_heun", "ancestral")]
        for found in (mixture.where(metric="swd"), digits)
    )
    within, test = (-MARGIN, MARGIN), "t over seeds, equivalence"
    converged = difference(sde, ode, SDE_NFE, ODE_NFE)
    coarse = difference(sde, ode, COARSE)
    ratio = log_ratio(net_sde, net_ode, NET_NFE)
    questions = [
        *on_the_way(mixture),
        Question(f"{MODEL}, converged: SDE less ODE", converged, within, "data units", test),
        Question(f"{MODEL}, NFE {COARSE}: SDE less ODE", coarse, within, "data units", test),
        Question(
            "digits_mlp, converged: SDE over ODE", ratio, (-SHARE, SHARE), "log ratio of FD", test
        ),
    ]
    panels = [
        Panel(MODEL, "NFE", "swd", (ode.line("ODE (Heun)"), sde.line("SDE"))),
        Panel("digits_mlp", "NFE", "fd_digits", (net_ode.line("ODE (Heun)"), net_sde.line("SDE"))),
    ]
    return Verdict.of(
        answer(questions),
        panels,
        "The Fokker-Planck equation makes them equal for the exact score and a converged solver; "
        "a network's score is not exact.",
    )


def on_the_way(mixture: Rows) -> list[Question]:
    """The excess distance of x_t to p_t, of both samplers and of a coarse one."""
    found = mixture.where(metric="marginals")
    samplers = (
        ("ODE", "edm_heun", ODE_NFE),
        ("SDE", "ancestral", SDE_NFE),
        ("SDE", "ancestral", COARSE),
    )
    return [
        Question(
            f"{MODEL}, {label}, NFE {nfe}: x_t and p_t at five times",
            found.where(solver=solver).curve().at(nfe),
            below(CHANCE),
            "standard deviations",
            "t over seeds",
        )
        for label, solver, nfe in samplers
    ]


CLAIM = Claim(
    name="same_marginals",
    statement="The probability-flow ODE and the reverse SDE have the same marginals.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.1; tutorials",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
