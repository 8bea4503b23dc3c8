"""Codes of the same data between solvers, processes and networks."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, above, answer, below, difference
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

PROCESSES, SOLVERS = ("vp", "subvp", "ve"), ("rk4", "edm_heun", "dpmpp_2m")
FINE, COARSE = 320, 20
CLOSE = 1e-3
"""Relative to the converged code, which all processes share: ten times less than a per cent."""

ALIKE = 0.9
"""Correlation of two networks' codes, where that of two data is taken off."""

_SUITES = """
unique_codes_mixture:
  models: [random_mixture]
  processes: [vp, subvp, ve]
  grids: [log_snr]
  solvers: [rk4, edm_heun, dpmpp_2m]
  nfe: [20, 80, 320]
  s_min: 0.01
  s_max: 50.0
  samples: 64
  dtype: float64
  metrics: [{name: code_agreement, points: 64}]
unique_codes_digits:
  models: [digits_mlp]
  grids: [log_snr]
  solvers: [edm_heun]
  nfe: [20, 80, 320]
  samples: 64
  metrics: [{name: code_agreement, points: 64, other: digits_mlp_deep}]
"""


def judge(rows: Rows) -> Verdict:
    """Errors to the converged code, and the correlation between two networks' codes."""
    mixture = rows.where(suite="unique_codes_mixture", metric="code_error")
    curves = {
        f"{solver}, {process}": mixture.where(solver=solver, process=process).curve()
        for solver in SOLVERS
        for process in PROCESSES
    }
    digits = rows.where(suite="unique_codes_digits")
    error, same, shuffled = (
        digits.where(metric=name).curve()
        for name in ("code_error", "code_correlation", "code_correlation_shuffled")
    )
    test, unit = "t over seeds", "relative"
    questions = [
        Question(f"random_mixture, {name}, NFE {FINE}", curve.at(FINE), below(CLOSE), unit, test)
        for name, curve in curves.items()
        if name.startswith(("rk4", "edm_heun"))
    ]
    questions += [
        Question(f"digits_mlp, edm_heun, NFE {FINE}", error.at(FINE), below(CLOSE), unit, test),
        Question(f"digits_mlp, edm_heun, NFE {COARSE}", error.at(COARSE), below(CLOSE), unit, test),
        Question(
            "two networks of the digits: correlation above that of two data",
            difference(same, shuffled, FINE),
            above(ALIKE),
            "correlation",
        ),
    ]
    panels = [
        Panel(
            "distance to the converged code",
            "NFE",
            "relative error",
            tuple(curve.line(f"random_mixture, {name}") for name, curve in curves.items()),
        ),
        Panel(
            "codes of two networks",
            "NFE",
            "correlation",
            (same.line("same datum"), shuffled.line("two data")),
            logarithmic=False,
        ),
    ]
    return Verdict.of(answer(questions), panels)


CLAIM = Claim(
    name="unique_codes",
    statement="A datum has one latent code, whatever the solver, the process and the network.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.5",
    suites=_SUITES,
    replicates=3,
    judge=judge,
)
