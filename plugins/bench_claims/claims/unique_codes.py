"""Codes of the same data between solvers, processes and networks."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, above, answer, below
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

PROCESSES, SOLVERS = ("vp", "subvp", "ve"), ("rk4", "edm_heun", "dpmpp_2m")
ACCURATE, TEST = ("rk4", "edm_heun"), "t over seeds"
FINE, COARSE = 320, 20
CLOSE = 1e-3
"""Relative to the converged code, which all processes share: ten times less than a per cent."""

ALIKE = 0.9
"""Correlation of two networks' codes of one datum; that of two data is about 0."""

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
    error, same, other = (
        digits.where(metric=name).curve()
        for name in ("code_error", "code_correlation", "code_correlation_shuffled")
    )
    near = [
        (f"random_mixture, {name}, NFE {FINE}", curve.at(FINE))
        for name, curve in curves.items()
        if name.startswith(ACCURATE)
    ]
    near += [(f"digits_mlp, edm_heun, NFE {nfe}", error.at(nfe)) for nfe in (FINE, COARSE)]
    questions = [Question(name, values, below(CLOSE), "relative", TEST) for name, values in near]
    between = f"two networks of the digits, edm_heun, NFE {FINE}"
    questions.append(Question(between, same.at(FINE), above(ALIKE), "correlation", TEST))
    lines = tuple(curve.line(f"random_mixture, {name}") for name, curve in curves.items())
    pairs = (same.line("same datum"), other.line("two data"))
    panels = [
        Panel("distance to the converged code", "NFE", "relative error", lines),
        Panel("codes of two networks", "NFE", "correlation", pairs, logarithmic=False),
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
