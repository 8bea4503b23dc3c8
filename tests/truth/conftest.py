"""Samples of a posterior that is known, and samples that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    Batch,
    Draw,
    InverseProblem,
    Measurement,
    SampleMetric,
    Sampler,
    ScoreModel,
    Trial,
    guide,
)
from bench.testing.plugins import grid_of, model_of, ode_solver_of, process_of
from bench_plugins.inverse import ExactPosteriorScore
from bench_plugins.tasks import Inpainting

CPU = torch.device("cpu")
MODEL: Mapping[str, object] = {
    "means": ((0.0, 0.0, 1.0, 0.5), (0.2, 0.1, -1.0, -0.5), (-0.3, 0.2, 0.8, -1.0)),
    "stds": (0.3, 0.3, 0.2),
    "weights": (0.5, 0.3, 0.2),
}

Numbers = Mapping[str, Measurement]


@dataclass(frozen=True)
class Laboratory:
    """A trial whose posterior is a mixture, and samples for it.

    Attributes:
        trial: of `n` samples.
        exact: samples of the posterior, (n, d).
    """

    trial: Trial
    exact: Tensor

    @property
    def posterior(self) -> Any:
        """That of each sample."""
        assert self.trial.questions is not None
        question = self.trial.questions.of_samples(0, 0, self.trial.draw.samples)
        exact: Any = self.trial.model.target.exact
        return exact.posterior(question.observation)

    @property
    def means(self) -> Tensor:
        """E[x_0 | y] of each sample."""
        mixture = self.posterior.mixture
        return torch.einsum("nk,nkd->nd", mixture.log_weights.exp(), mixture.means)

    def one_mode(self) -> Tensor:
        """Exact samples of each question's heaviest component."""
        mixture = self.posterior.mixture
        best = mixture.log_weights.argmax(1, keepdim=True)
        certain = torch.full_like(mixture.log_weights, -1e9).scatter(1, best, 0.0)
        only = replace(mixture, log_weights=certain)
        sampled: Tensor = replace(self.posterior, mixture=only).sample(77)
        return sampled

    def prior(self) -> Tensor:
        """Samples that know nothing of the observation."""
        assert self.trial.model.target.exact is not None
        return self.trial.model.target.exact.sample(self.trial.draw.samples, 78)

    def measure(self, metric: SampleMetric, x: Tensor, batches: Sequence[int] = ()) -> Numbers:
        """The numbers of the samples ``x``, in batches of these sizes."""
        accumulator, first = metric.start(self.trial), 0
        for part in x.split(list(batches) or [len(x)]):
            accumulator.add(Batch(first, part))
            first += len(part)
        return {number.metric: number for number in accumulator.result()}


def _trial(model: ScoreModel, task: InverseProblem, samples: int) -> Trial:
    """DDIM under the exact score, float64."""
    questions = task.pose(model, CPU, torch.float64)
    process = process_of("vp")
    times = grid_of("log_snr").times(process, 10, model.s_min, model.s_max)
    guided = guide(model, ExactPosteriorScore(), questions, torch.float64)
    draw = Draw(0, samples, samples, model.shape, torch.float64)
    return Trial(guided, process, Sampler(ode_solver_of("ddim")), times, draw, questions=questions)


def _laboratory(draws: int = 16, samples: int = 1024, seed: int = 0) -> Laboratory:
    model = model_of("gaussian_mixture", **MODEL).load(CPU, torch.float64)
    task = Inpainting(noise=0.1, draws=draws, task_seed=seed)
    trial = _trial(model, task, samples)
    empty = Laboratory(trial, torch.empty(0))
    return Laboratory(trial, empty.posterior.sample(76))


@pytest.fixture(scope="session")
def make_trial() -> Callable[[ScoreModel, InverseProblem, int], Trial]:
    """Makes the trial of a model under a task."""
    return _trial


@pytest.fixture(scope="session")
def make_laboratory() -> Callable[..., Laboratory]:
    """Makes a laboratory of so many draws, samples, and a seed of the task."""
    return _laboratory


@pytest.fixture(scope="session")
def laboratory() -> Laboratory:
    """64 questions of 16 samples each; the hidden half has several modes."""
    return _laboratory()


@pytest.fixture(scope="session")
def small() -> Laboratory:
    """7 questions of 4 samples each."""
    return _laboratory(draws=4, samples=28)
