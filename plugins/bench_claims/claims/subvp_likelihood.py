"""Networks trained under VP and under sub-VP, and one network under both."""

from __future__ import annotations

import numpy as np

from bench_claims.claim import Claim, Network
from bench_claims.inference import Question, answer, below, difference
from bench_claims.rows import Rows
from bench_claims.verdict import Floats, Panel, Verdict

TRAININGS = 4
BITS = 0.005
_OPTIONS = (
    *("--data", "digits", "--network", "mlp", "--weighting", "sigma2", "--times", "uniform"),
    *("--images", "200000", "--warmup", "15000", "--threads", "1"),
)

_SUITES = f"""
subvp_likelihood_vp:
  models: [{{name: trained, weights: [{", ".join(f"$vp-{i}" for i in range(TRAININGS))}]}}]
  processes: [vp]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [160]
  replicates: 1
  samples: 64
  s_min: 0.002
  s_max: 80.0
  metrics: [{{name: nll_bpd, images: 360}}]
subvp_likelihood_subvp:
  models: [{{name: trained, weights: [{", ".join(f"$subvp-{i}" for i in range(TRAININGS))}]}}]
  processes: [subvp]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [160]
  replicates: 1
  samples: 64
  s_min: 0.002
  s_max: 80.0
  metrics: [{{name: nll_bpd, images: 360}}]
subvp_likelihood_one_network:
  models: [digits_mlp]
  processes: [vp, subvp]
  grids: [log_snr]
  solvers: [rk4]
  nfe: [40, 160]
  samples: 64
  metrics: [{{name: nll_bpd, images: 128}}]
"""


def judge(rows: Rows) -> Verdict:
    """Converged bits per dimension: of networks of either training, and of one under both."""
    vp, subvp = (_bits_of_trainings(rows, process) for process in ("vp", "subvp"))
    count = min(len(vp), len(subvp))
    own = rows.where(suite="subvp_likelihood_one_network", metric="nll_bpd")
    one, other = (own.where(process=process).curve() for process in ("vp", "subvp"))
    gap = difference(other, one, 160)
    questions = [
        Question(
            "trained under sub-VP less trained under VP",
            subvp[:count] - vp[:count],
            below(0.0),
            "bits/dim",
            "paired t over trainings of equal seeds",
        ),
        Question("one network, sub-VP less VP", gap, below(-BITS), "bits/dim", "t over seeds"),
    ]
    panel = Panel(
        "digits_mlp under both", "NFE", "bits/dim", (one.line("VP"), other.line("sub-VP")), False
    )
    return Verdict.of(
        answer(questions),
        [panel],
        "A network that is given as a denoiser D(y; s) has one likelihood under all processes, "
        "for the range of s that is integrated over: the process matters in training alone.",
    )


def _bits_of_trainings(rows: Rows, process: str) -> Floats:
    """One value for each training, in the order of their seeds, (trainings,)."""
    found = rows.where(suite=f"subvp_likelihood_{process}", metric="nll_bpd_converged").frame
    return np.asarray(found.sort_values("files")["value"], dtype=float)


CLAIM = Claim(
    name="subvp_likelihood",
    statement="Sub-VP gives better likelihoods than VP.",
    source="Song et al. 2021, arXiv:2011.13456, Section 3.4 and Table 2",
    suites=_SUITES,
    replicates=3,
    judge=judge,
    networks=tuple(
        Network(f"{process}-{seed}", ("--process", process, *_OPTIONS), seed)
        for process in ("vp", "subvp")
        for seed in range(TRAININGS)
    ),
)
