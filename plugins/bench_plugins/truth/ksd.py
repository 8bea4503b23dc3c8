"""Kernel Stein discrepancy of the samples from the posterior that the score knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import CountedDenoiser, Measurement, UnsupportedError, require
from bench_plugins.truth.answers import AnswerMetric, Answers, mean_number, several_draws
from bench_plugins.truth.papers import GORHAM2017


@dataclass(frozen=True)
class ScoreStein(AnswerMetric):
    """Squared kernel Stein discrepancy from the posterior, with no reference samples.

    The posterior's score is the model's own at a small noise level s plus the likelihood's,
    grad_x -||y - A(x)||^2 / (2 noise^2); the kernel is (c^2 + ||x - x'||^2)^(-1/2). The U-statistic
    over the pairs of a question's samples, averaged over questions: without bias, 0 for samples of
    that posterior, so that small ones may come out negative. It sees errors within a mode; of
    weights of modes that lie apart it sees hardly anything, as the score does not know them.

    Attributes:
        s: noise level of the score; ``None``: the smallest of the run. Networks know little at the
            smallest levels, and dividing by s^2 makes much of their error: name a larger one.
        width: c, in units of x_0.
    """

    name: ClassVar[str] = "score_ksd"
    reference: ClassVar[str] = "Gorham and Mackey 2017, arXiv:1703.01717, Theorem 8 (IMQ kernel)"
    bibtex: ClassVar[str] = GORHAM2017
    unit: ClassVar[str] = "data units^-2"
    title: ClassVar[str] = "kernel Stein discrepancy, squared"

    s: float | None = None
    width: float = 1.0

    def __post_init__(self) -> None:
        require(self.s is None or self.s > 0, "s must be > 0")
        require(self.width > 0, "width must be > 0")

    def check(self, answers: Answers) -> None:
        if answers.observation.noise == 0:
            raise UnsupportedError(
                f"{self.name}: without noise of the observation the posterior has no score; raise "
                "the task's noise"
            )

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)
        score, cost = self._score(answers)
        each = answers.by_question(
            lambda rows: stein_discrepancy(answers.flat[rows], score[rows], self.width)
        )
        return [replace(mean_number(self.name, each, self.unit), nfe=cost)]

    def _score(self, answers: Answers) -> tuple[Tensor, float]:
        """The posterior's score at the samples, (n, d), and evaluations of each sample."""
        trial = answers.trial
        draw, s = trial.draw, self.s or trial.times[-1].s
        counted = CountedDenoiser(trial.unguided.denoiser)
        own = counted.of_samples(draw.seed, 0, len(answers.x), draw.device)
        x = answers.x.to(draw.device, draw.dtype)
        d = own(x, torch.tensor(s, dtype=draw.dtype, device=draw.device))
        prior = (d.double().cpu() - answers.x) / s**2
        score = prior + likelihood_score(answers, x).double().cpu()
        return score.flatten(1), counted.evaluations.nfe(len(x))


def likelihood_score(answers: Answers, x: Tensor) -> Tensor:
    """grad_x ln p(y | x), shape of ``x``; for operators that are not linear too."""
    seen = answers.observation
    with torch.enable_grad():
        leaf = x.detach().requires_grad_(True)
        log = seen.misfit(leaf).sum() / (-2 * seen.noise**2)
        (score,) = torch.autograd.grad(log, leaf)
    return score


def stein_discrepancy(x: Tensor, score: Tensor, width: float) -> Tensor:
    """The U-statistic of the squared discrepancy of ``x`` (n, d), shape ().

    Args:
        x: points, n >= 2.
        score: of the target at ``x``, (n, d).
        width: c of the kernel.
    """
    n, d = x.shape
    gap = x[:, None] - x
    square = gap.square().sum(-1)
    base = width**2 + square
    # With k = base^(-1/2): grad_x k = -gap base^(-3/2) = -grad_x' k, and
    # div_x grad_x' k = d base^(-3/2) - 3 ||gap||^2 base^(-5/2).
    slope = base**-1.5
    across = ((score[:, None] - score) * gap).sum(-1) * slope
    trace = d * slope - 3 * square * base**-2.5
    terms = (score @ score.T) * base**-0.5 + across + trace
    return (terms.sum() - terms.diagonal().sum()) / (n * (n - 1))
