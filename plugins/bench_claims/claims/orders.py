"""Slopes of errors over steps: of one step, and of the whole way."""

from __future__ import annotations

import math

import numpy as np

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, slopes
from bench_claims.rows import NOTHING, Curve, Rows
from bench_claims.verdict import Line, Panel, Verdict

ORDERS = {"euler": 1, "heun": 2, "rk4": 4, "ddim": 1, "dpmpp_2m": 2}
ONE_STEP = ("euler", "heun", "rk4", "ddim")
WIDTHS = (0.1, 0.05, 0.025)
"""Widths in ln s of the single steps, from s = 0.5 up."""

NEAR = 0.2

_MIXTURE = (
    "{name: gaussian_mixture, means: [[-1.0, -0.5], [0.8, 0.9], [0.6, -1.0]], "
    "stds: [0.6, 0.7, 0.5]}"
)
_LOCAL = "".join(
    f"""
orders_step_{round(1000 * width)}:
  models: [{_MIXTURE}]
  solvers:
    - {{name: euler, grids: [uniform_t]}}
    - {{name: heun, grids: [uniform_t]}}
    - {{name: rk4, grids: [uniform_t]}}
    - {{name: ddim, grids: [log_snr]}}
  nfe: [1, 2, 4]
  s_min: 0.5
  s_max: {0.5 * math.exp(width):.6f}
  finish: none
  samples: 256
  dtype: float64
  metrics: [{{name: rmse, samples: 256, reference_steps: 64}}]
"""
    for width in WIDTHS
)
_SUITES = f"""{_LOCAL}
orders_way:
  models: [{_MIXTURE}]
  solvers:
    - {{name: euler, grids: [uniform_t]}}
    - {{name: heun, grids: [uniform_t]}}
    - {{name: rk4, grids: [uniform_t]}}
    - {{name: ddim, grids: [log_snr]}}
    - {{name: dpmpp_2m, grids: [log_snr]}}
  nfe: [64, 128, 256, 512]
  s_min: 0.1
  s_max: 10.0
  finish: none
  samples: 256
  dtype: float64
  metrics: [{{name: rmse, samples: 256, reference_steps: 512}}]
"""


def judge(rows: Rows) -> Verdict:
    """Slopes in log-log, of each seed, beside the order claimed."""
    local = {solver: one_step(rows, solver) for solver in ONE_STEP}
    way = {s: rows.where(suite="orders_way", metric="rmse", solver=s).curve() for s in ORDERS}
    test = "t over seeds of least-squares slopes"
    questions = [
        Question(
            f"{solver}, one step: {order} + 1",
            slopes(local[solver], 1 / local[solver].steps),
            (order + 1 - NEAR, order + 1 + NEAR),
            "",
            test,
        )
        for solver, order in ORDERS.items()
        if solver in ONE_STEP
    ]
    questions += [
        Question(
            f"{solver}, the whole way: {order}",
            slopes(way[solver], way[solver].steps),
            (order - NEAR, order + NEAR),
            "",
            test,
        )
        for solver, order in ORDERS.items()
    ]
    panels = [
        Panel("one step", "1 / width of the step in ln s", "rmse", _lines(local)),
        Panel("the whole way", "NFE", "rmse", _lines(way)),
    ]
    return Verdict.of(
        answer(questions),
        panels,
        "`bench plugins check` measures weak orders of SDE solvers without Monte-Carlo noise.",
    )


def one_step(rows: Rows, solver: str) -> Curve:
    """Errors of a single step over one over its width, which stands in place of NFE and steps."""
    parts = [
        rows.where(suite=_suite(width), metric="rmse", solver=solver, steps=1.0).curve()
        for width in WIDTHS
    ]
    widths = np.array(WIDTHS)
    if not all(part.values.shape == parts[0].values.shape != (0, 0) for part in parts):
        return NOTHING
    # Several budgets may buy one step: they are the same number.
    values = np.stack([part.values[:, 0] for part in parts], axis=1)
    return Curve(1 / widths, widths, values, parts[0].seeds)


def _suite(width: float) -> str:
    return f"orders_step_{round(1000 * width)}"


def _lines(curves: dict[str, Curve]) -> tuple[Line, ...]:
    return tuple(curve.line(name) for name, curve in curves.items())


CLAIM = Claim(
    name="orders",
    statement="A solver of order p errs by h^(p+1) in a step and by h^p over the whole way.",
    source="tutorials; Lu et al. 2022, arXiv:2206.00927, Section 3",
    suites=_SUITES,
    replicates=3,
    judge=judge,
)
