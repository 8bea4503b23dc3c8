"""With and without the last denoising step, at equal evaluations, for several last noise levels."""

from __future__ import annotations

import numpy as np

from bench_claims.claim import Claim
from bench_claims.inference import Question, answer, below, log_ratio
from bench_claims.rows import NOTHING, Curve, Rows
from bench_claims.verdict import Panel, Verdict

LEVELS = (0.002, 0.02, 0.2)
NFE = 40
PLACES = (("digits", "digits_mlp", "fd_digits"), ("mixture", "gaussian_mixture", "swd"))

_SUITES = "".join(
    f"""
last_denoise_{place}_{i}_{finish}:
  models: [{model}]
  processes: [{{name: ve, sigma_min: {LEVELS[0]}, sigma_max: 50.0}}]
  solvers: [dpmpp_2m]
  nfe: [{NFE}]
  s_min: {level}
  finish: {finish}
  samples: 1024
  batch: 1024
  metrics: [{metric}]
"""
    for place, model, metric in PLACES
    for i, level in enumerate(LEVELS)
    for finish in ("denoise", "none")
)


def judge(rows: Rows) -> Verdict:
    """The log ratio of the metric, with over without, for each last noise level."""
    questions, panels = [], []
    for place, model, metric in PLACES:
        pairs = [
            tuple(
                rows.where(suite=f"last_denoise_{place}_{i}_{finish}", metric=metric).curve()
                for finish in ("denoise", "none")
            )
            for i in range(len(LEVELS))
        ]
        questions += [
            Question(
                f"{model}, samples end at s = {level:g}",
                log_ratio(with_it, without, NFE),
                below(0.0),
                "log ratio",
            )
            for level, (with_it, without) in zip(LEVELS, pairs, strict=True)
        ]
        lines = [
            _over_levels([pair[k] for pair in pairs]).line(label)
            for k, label in enumerate(("with", "without"))
        ]
        panels.append(Panel(model, "s at the end", metric, tuple(lines)))
    return Verdict.of(
        answer(questions), panels, "Frechet distances are of samples rounded to integer levels."
    )


def _over_levels(curves: list[Curve]) -> Curve:
    """One curve over the noise levels in place of NFE, of the seeds that all have."""
    whole = [curve for curve in curves if curve.values.size]
    if len(whole) < len(curves) or len({len(curve.seeds) for curve in whole}) != 1:
        return NOTHING
    values = np.concatenate([curve.values for curve in whole], axis=1)
    return Curve(np.array(LEVELS), np.array(LEVELS), values, whole[0].seeds)


CLAIM = Claim(
    name="last_denoise",
    statement="A last denoising step without noise makes samples better.",
    source="Song et al. 2021, arXiv:2011.13456, Appendix G; Jolicoeur-Martineau et al. 2021, "
    "arXiv:2009.05475",
    suites=_SUITES,
    replicates=5,
    judge=judge,
)
