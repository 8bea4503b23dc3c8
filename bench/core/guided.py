"""A model under guidance: another denoiser for each batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from bench.core.classes import NO_CLASS, Conditional
from bench.core.errors import UnsupportedError
from bench.core.evaluations import Evaluations
from bench.core.guidance import Given, Guidance, Guided, NoGuidance
from bench.core.model import Denoiser
from bench.core.noise import NoiseStream
from bench.core.observation import LinearOperator
from bench.core.process import Time
from bench.core.rows import ForSamples, RowNetwork, count_vjps, with_counter
from bench.core.target import Conditionable, ExactPosterior, ScoreModel
from bench.core.task import Question, Questions


@dataclass(frozen=True, eq=False)
class BoundGuidance:
    """The guided denoiser of the samples of one batch."""

    given: Given
    guidance: Guidance[Any]
    memory: Any
    evaluations: Evaluations = field(default_factory=Evaluations)

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        return self.split(y, s).d

    def split(self, y: Tensor, s: Tensor) -> Guided:
        """The guided and the unguided D; what networks say at one (y, s) waits for none of it."""
        before = self.evaluations.deep
        guided = self.guidance.guide(self.given, y, s, self.memory)
        self.evaluations.abreast += max(0, self.evaluations.deep - before - len(y))
        return guided

    def settle(self, x: Tensor, now: Time) -> Tensor:
        """``x`` at ``now`` as the guidance wants it before a step."""
        return self.guidance.settle(self.given, x, now, self.memory)

    def of_rows(self, rows: Tensor) -> BoundGuidance:
        """The same for the samples with the indices ``rows``.

        Raises:
            UnsupportedError: it has a memory, or noise, of the whole batch.
        """
        if self.memory is not None or self.guidance.stochastic:
            raise UnsupportedError(
                f"guidance '{self.guidance.name}' goes with the whole batch, and this solver takes "
                "steps of its own for each sample"
            )
        return replace(self, given=self.given.of_rows(rows))


@dataclass(frozen=True, eq=False)
class GuidedModel(ForSamples):
    """A score model, a guidance and the questions that samples answer.

    Attributes:
        model: as it was loaded.
        guidance: what makes one denoiser of the model's.
        questions: those of the task, or None.
        dtype: of the state.
    """

    model: ScoreModel
    guidance: Guidance[Any]
    questions: Questions | None
    dtype: torch.dtype

    @property
    def price(self) -> int:
        return sum(self.guidance.passes)

    def price_at(self, s: float) -> int:
        """Passes of one call at noise-to-signal ratio ``s``."""
        return sum(self.guidance.passes_at(s))

    def of_samples(
        self,
        seed: int,
        first: int,
        count: int,
        device: torch.device,
        evaluations: Evaluations,
        shard: int,
    ) -> BoundGuidance:
        question = Question(torch.arange(0))
        if self.questions is not None:
            question = self.questions.of_samples(seed, first, count)
        labels = self._labels(question, seed, first, count, device)
        make = _Networks(count, labels, device, evaluations, shard)
        networks = dict(make.of(self.model.denoiser))
        if self.model.weak is not None:
            weak = dict(make.of(self.model.weak))
            networks["weak"] = weak.get("conditional") or weak["plain"]
        if self.model.classifier is not None and labels is not None:
            networks["classifier"] = make.of_classifier(self.model.classifier, labels)
        noise = NoiseStream(seed, "guidance", first, count, self.model.shape, self.dtype, device)
        posterior = self._posterior(question)
        given = Given(networks, labels, question.observation, posterior, noise)
        return BoundGuidance(given, self.guidance, self.guidance.start(given), evaluations)

    def _labels(
        self, question: Question, seed: int, first: int, count: int, device: torch.device
    ) -> Tensor | None:
        network = self.model.denoiser
        own = network if isinstance(network, Conditional) else None
        if question.labels is None:
            return None if own is None else own.labels(seed, first, count, device)
        if own and (own.label is not None or own.balanced):
            raise UnsupportedError(
                "the task asks for classes, and so does the model; drop its label"
            )
        if own is None and not self.guidance.classifies:
            raise UnsupportedError(
                f"the task asks for classes, which neither the model nor guidance "
                f"'{self.guidance.name}' knows"
            )
        return question.labels.to(device)

    def _posterior(self, question: Question) -> ExactPosterior | None:
        exact: object = self.model.target.exact
        observation = question.observation
        if observation is None or not isinstance(exact, Conditionable):
            return None
        linear = isinstance(observation.operator, LinearOperator)
        return exact.posterior(observation) if linear else None


@dataclass(frozen=True, eq=False)
class _Networks:
    """Makes the networks of one batch."""

    count: int
    labels: Tensor | None
    device: torch.device
    evaluations: Evaluations
    shard: int

    def of(self, network: Denoiser | ForSamples) -> Iterator[tuple[str, RowNetwork]]:
        if not isinstance(network, Conditional):
            yield "plain", self._rows(network)
            return
        if self.labels is not None:
            yield "conditional", self._rows(network.network, self.labels)
        if network.plain:
            none = torch.full((self.count,), NO_CLASS, device=self.device)
            yield "plain", self._rows(network.network, none)

    def of_classifier(
        self, classifier: Callable[[Tensor, Tensor], Tensor], labels: Tensor
    ) -> RowNetwork:
        """Log probability of the samples' own classes."""

        def log_prob(y: Tensor, s: Tensor, own: Tensor) -> Tensor:
            return count_vjps(classifier(y, s).gather(1, own[:, None])[:, 0], self.evaluations)

        return RowNetwork(log_prob, (labels,), self.evaluations, self.shard)

    def _rows(self, network: Any, *each: Tensor) -> RowNetwork:
        counted = with_counter(network, self.evaluations)
        return RowNetwork(counted, each, self.evaluations, self.shard)


def guide(
    model: ScoreModel,
    guidance: Guidance[Any] | None,
    questions: Questions | None,
    dtype: torch.dtype,
) -> ScoreModel:
    """``model`` under ``guidance``, for samples that answer ``questions``; itself without both."""
    if guidance is None and questions is None:
        return model
    denoiser = GuidedModel(model, guidance or NoGuidance(), questions, dtype)
    return replace(model, denoiser=denoiser)
