"""Mode weights, means and covariances against those of the exact posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from bench.api import ExactPosterior, Measurement, Role, UnsupportedError
from bench_plugins.truth.answers import AnswerMetric, Answers, mean_number, several_draws
from bench_plugins.truth.papers import BISHOP2006


class Components(Protocol):
    """Gaussians of weights (n, K) and means (n, K, d) of each row, and covariances of all.

    Attributes:
        log_weights: (n, K).
        means: (n, K, d).
        vectors: eigenvectors of the covariances as columns, (K, d, d).
        values: their eigenvalues, (K, d).
    """

    log_weights: Tensor
    means: Tensor
    vectors: Tensor
    values: Tensor


@runtime_checkable
class HasComponents(Protocol):
    """A posterior that is a mixture of Gaussians."""

    @property
    def mixture(self) -> Components:
        """Its components."""
        ...


@dataclass(frozen=True)
class PosteriorMoments(AnswerMetric):
    """Errors of the samples' mode weights, means and covariances, each the mean over questions.

    ``mode_weights_error``: total variation between the components' weights of the exact posterior
    and the samples' mean responsibilities. ``posterior_mean_error``: distance of the means over the
    root of the exact variance, tr C. ``posterior_cov_error``: ||C' - C|| / ||C||, Frobenius. Each
    has its ``_floor``: that of exact samples of the same number.
    """

    name: ClassVar[str] = "posterior_moments"
    reference: ClassVar[str] = "closed form; Bishop 2006, Section 9.2 (responsibilities)"
    bibtex: ClassVar[str] = BISHOP2006
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "error of the posterior's moments"

    def check(self, answers: Answers) -> None:
        _components(answers, answers.posterior)

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        several_draws(answers)
        truth = _components(answers, answers.posterior.of_rows(answers.firsts))
        mean, covariance = _moments(truth)
        own, exact = answers.flat, answers.exact(seed=3)
        n = sum(map(len, answers.groups))

        def pair(name: str, error: Callable[[Tensor, int], Tensor]) -> list[Measurement]:
            def each(points: Tensor) -> Tensor:
                parts = [error(points[rows], q) for q, rows in enumerate(answers.groups)]
                return torch.stack(parts)

            return [
                mean_number(name, each(own), role=Role.ERROR),
                mean_number(f"{name}_floor", each(exact), "1", Role.REFERENCE, name, n),
            ]

        def weights_error(x: Tensor, q: int) -> Tensor:
            return (_shares(truth, q, x).mean(0) - truth.log_weights[q].exp()).abs().sum() / 2

        def mean_error(x: Tensor, q: int) -> Tensor:
            return (x.mean(0) - mean[q]).square().sum().sqrt() / covariance[q].trace().sqrt()

        def covariance_error(x: Tensor, q: int) -> Tensor:
            found = x.T.cov().reshape(covariance[q].shape)
            squares = (found - covariance[q]).square().sum() / covariance[q].square().sum()
            return squares.sqrt()

        return [
            *pair("mode_weights_error", weights_error),
            *pair("posterior_mean_error", mean_error),
            *pair("posterior_cov_error", covariance_error),
        ]


def _components(answers: Answers, posterior: ExactPosterior) -> Components:
    if not isinstance(posterior, HasComponents):
        raise UnsupportedError(f"{answers.metric} needs a posterior that is a Gaussian mixture")
    if answers.observation.noise == 0:
        raise UnsupportedError(
            f"{answers.metric}: without noise of the observation the posterior has no density; "
            "raise the task's noise"
        )
    return posterior.mixture


def _moments(mixture: Components) -> tuple[Tensor, Tensor]:
    """Means (questions, d) and covariances (questions, d, d) of the mixtures."""
    weights = mixture.log_weights.exp()
    mean = torch.einsum("nk,nkd->nd", weights, mixture.means)
    spread = torch.einsum("kde,ke,kfe->kdf", mixture.vectors, mixture.values, mixture.vectors)
    gap = mixture.means - mean[:, None]
    within = torch.einsum("nk,kdf->ndf", weights, spread)
    return mean, within + torch.einsum("nk,nkd,nkf->ndf", weights, gap, gap)


def _shares(mixture: Components, q: int, x: Tensor) -> Tensor:
    """The posterior probability of each component of question ``q`` at ``x`` (n, d), (n, K)."""
    z = torch.einsum("nkd,kde->nke", x[:, None] - mixture.means[q], mixture.vectors)
    values = mixture.values.clamp_min(1e-30)
    log = mixture.log_weights[q] - 0.5 * (z.square() / values + values.log()).sum(-1)
    return log.softmax(1)
