"""A predictor with a corrector, and the predictor alone, at the same evaluations."""

from __future__ import annotations

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, below, log_ratio
from bench_claims.rows import Rows
from bench_claims.verdict import Panel, Verdict

BUDGETS = (50, 200)
PLACES = (("digits", "digits_mlp", "fd_digits"), ("mixture", "random_mixture", "swd"))
PROCESSES = ("ve", "vp")

_SUITES = """
predictor_corrector_digits:
  models: [digits_mlp]
  processes: [ve, vp]
  grids: [uniform_t]
  solvers: [{name: reverse_diffusion, corrector: [null, langevin]}]
  nfe: [50, 200]
  samples: 1024
  batch: 1024
  metrics: [fd_digits]
predictor_corrector_mixture:
  models: [random_mixture]
  processes: [ve, vp]
  grids: [uniform_t]
  solvers: [{name: reverse_diffusion, corrector: [null, langevin]}]
  nfe: [50, 200]
  samples: 1024
  batch: 1024
  metrics: [swd]
"""


def judge(rows: Rows) -> Verdict:
    """The log ratio of the metric, with the corrector over without, at each budget."""
    questions, panels = [], []
    for place, model, metric in PLACES:
        for process in PROCESSES:
            found = rows.where(suite=f"predictor_corrector_{place}", process=process, metric=metric)
            alone = found.where(corrector="").curve()
            both = found.where(corrector="langevin").curve()
            questions += [
                Question(
                    f"{model}, {process}, NFE {budget}",
                    log_ratio(both, alone, budget),
                    below(0.0),
                    "log ratio",
                )
                for budget in BUDGETS
            ]
            lines = (alone.line("predictor"), both.line("with Langevin"))
            panels.append(Panel(f"{model}, {process}", "NFE", metric, lines))
    return Verdict.of(answer(questions), panels)


CLAIM = Claim(
    name="predictor_corrector",
    statement="A predictor with a Langevin corrector gives better samples than the predictor alone "
    "with as many evaluations.",
    source="Song et al. 2021, arXiv:2011.13456, Section 4.2 and Table 1 (PC1000 against P2000)",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
