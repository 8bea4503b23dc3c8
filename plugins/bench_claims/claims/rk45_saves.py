"""RK45 against the SDE's samplers at a thousand steps: evaluations saved at equal quality."""

from __future__ import annotations

import numpy as np

from bench_claims.claim import Claim
from bench_claims.inference import Question, above, answer, common, reach
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Floats, Panel, Verdict

MARGINS = {"to its quality": 1.0, "to within 20 % of it": 1.2}
"""Factors on the metric of the SDE's sampler."""

SHARE = 0.9
PLACES = (
    ("digits", "digits_mlp", "fd_digits", ("reverse_diffusion",)),
    ("mixture", "gaussian_mixture", "swd", ("reverse_diffusion", "euler_maruyama")),
)

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
rk45_saves_mixture:
  models: [gaussian_mixture]
  solvers: [{name: rk45, rtol: [1.0e-1, 1.0e-2, 1.0e-3, 1.0e-4]}]
  samples: 1024
  metrics: [swd]
rk45_saves_mixture_sde:
  models: [gaussian_mixture]
  grids: [uniform_t]
  solvers: [reverse_diffusion, euler_maruyama]
  nfe: [1000]
  samples: 1024
  batch: 1024
  metrics: [swd]
"""


def share_saved(fast: Curve, slow: Curve, margin: float) -> Floats:
    """Of each seed, the share of the slow sampler's evaluations that the fast one saves.

    Zero where it never comes to the quality of the slow one, times a margin.
    """
    one, other = common(fast, slow)
    if not len(one.seeds):
        return np.empty(0)
    needed = reach(one, margin * other.values[:, -1])
    return np.asarray(1 - np.nan_to_num(needed, nan=slow.nfe[-1]) / slow.nfe[-1])


def judge(rows: Rows) -> Verdict:
    """The share saved against each SDE sampler, on a network and on a closed form."""
    questions, panels = [], []
    for place, model, metric, solvers in PLACES:
        fast = rows.where(suite=f"rk45_saves_{place}", metric=metric).curve()
        lines = [fast.line("RK45")]
        for solver in solvers:
            slow = rows.where(suite=f"rk45_saves_{place}_sde", metric=metric, solver=solver).curve()
            lines.append(slow.line(solver))
            questions += [
                Question(f"{model}, {solver}, {how}", share_saved(fast, slow, margin), above(SHARE))
                for how, margin in MARGINS.items()
            ]
        panels.append(Panel(f"{model}, VP", "NFE", metric, tuple(lines)))
    return Verdict.of(answer(questions), panels, "Zero is where RK45 never reaches that quality.")


CLAIM = Claim(
    name="rk45_saves",
    statement="An adaptive RK45 on the probability-flow ODE saves over 90 % of the evaluations "
    "of the SDE's samplers at equal quality.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3; tutorials",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
