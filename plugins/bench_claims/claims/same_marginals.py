"""Distributions of the ODE's and the SDE's samples, both converged and both coarse."""

from __future__ import annotations

import math

from bench_claims.claim import Claim
from bench_claims.claims.more_steps import SUITES
from bench_claims.inference import Question, answer, below, log_ratio
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Panel, Verdict

MODEL = "gaussian_mixture"
CHANCE = 4.0
"""The largest excess distance at five times, in standard deviations; about 2 by chance alone."""

SHARE = math.log(1.1)
"""Of the Frechet distance: within 10 %."""

ODE_NFE, SDE_NFE = (20, 201), (20, 600)
NET_NFE = 300

_SUITES = (
    SUITES
    + """
same_marginals_ode:
  models: [gaussian_mixture]
  grids: [log_snr]
  solvers: [edm_heun]
  nfe: [20, 201]
  replicates: 10
  samples: 2048
  batch: 2048
  metrics: &marginals [{name: marginals, levels: 5}]
same_marginals_sde:
  models: [gaussian_mixture]
  grids: [log_snr]
  solvers: [ancestral]
  nfe: [20, 600]
  replicates: 10
  samples: 2048
  batch: 2048
  metrics: *marginals
"""
)


def judge(rows: Rows) -> Verdict:
    """x_t against p_t on the way, and equivalence of the two samplers' ends on a network."""
    ode, sde = (
        rows.where(suite=f"same_marginals_{kind}", metric="marginals").curve()
        for kind in ("ode", "sde")
    )
    digits = rows.where(suite="more_steps_digits", metric="fd_digits")
    net_ode, net_sde = (digits.where(solver=solver).curve() for solver in ("edm_heun", "ancestral"))
    questions = [
        Question(
            f"{MODEL}, {label}, NFE {nfe}: x_t and p_t at five times",
            curve.at(nfe),
            below(CHANCE),
            "standard deviations",
            "t over seeds",
        )
        for label, curve, budgets in (("ODE", ode, ODE_NFE), ("SDE", sde, SDE_NFE))
        for nfe in budgets
    ]
    questions.append(
        Question(
            f"digits_mlp, NFE {NET_NFE}: SDE over ODE",
            log_ratio(net_sde, net_ode, NET_NFE),
            (-SHARE, SHARE),
            "log ratio of FD",
            "t over seeds, equivalence",
        )
    )
    return Verdict.of(
        answer(questions),
        _panels((ode, sde), (net_ode, net_sde)),
        "The Fokker-Planck equation makes them equal for the exact score and a converged solver; "
        "a network's score is not exact.",
    )


def _panels(ways: tuple[Curve, Curve], ends: tuple[Curve, Curve]) -> list[Panel]:
    """Both samplers on the mixture's way, and at the network's end."""
    labels = ("ODE (Heun)", "SDE (ancestral)")
    way, end = (
        tuple(curve.line(label) for curve, label in zip(curves, labels, strict=True))
        for curves in (ways, ends)
    )
    return [
        Panel(f"{MODEL}, x_t against p_t", "NFE", "standard deviations", way, False),
        Panel("digits_mlp", "NFE", "fd_digits", end),
    ]


CLAIM = Claim(
    name="same_marginals",
    statement="The probability-flow ODE and the reverse SDE have the same marginals.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.1; tutorials",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
