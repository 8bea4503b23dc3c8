"""The contracts of metrics."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from torch import Tensor

from bench.core.classes import Conditional
from bench.core.errors import UnsupportedError
from bench.core.guidance import Guidance
from bench.core.guided import GuidedModel
from bench.core.plugin import Plugin
from bench.core.problem import LogProb
from bench.core.process import NoiseProcess, Time
from bench.core.role import Role
from bench.core.sample import Batch, Draw, Sampler
from bench.core.solver import OdeSolver
from bench.core.target import ScoreModel
from bench.core.task import Questions


@dataclass(frozen=True)
class Measurement:
    """One number.

    Attributes:
        metric: name of the number, in the style of column names (``fd_mnist``, ``nll_bpd``).
        value: the number.
        unit: its unit (``1`` where it has none).
        std_error: its Monte-Carlo standard error, where one run gives it.
        n: how many samples or data points it rests on.
        reference: hash of what it is measured against (statistics, extractor, data), or "".
        reference_n: number of real images, or of exact samples, that it is measured against, where
            it is known.
        reference_note: what was done to them on the way, and what was left out; "" for nothing.
        vjp: vector-Jacobian products per data point that it cost.
        nfe: forward evaluations per data point that it cost beyond the samples' own.
        role: what the number means.
        belongs_to: name of another number of the same metric that this one accompanies: the one
            that an exact value or a reference is for (they need it), the one that an error is the
            error of, or the one that a diagnostic goes with. "" for a number of its own.
        evidence: what the uncertainty of the number rests on, where that is known: one number for
            each sample or data point, in their order, shape (n,). Their mean is ``value`` and the
            standard error of their mean is that of ``value``. For a mean they are the values
            averaged; for any other smooth statistic ``value`` plus each sample's influence
            (Hampel 1974), as Tukey's pseudo-values are. Stored beside the table for
            ``bench compare``; no number depends on it.
        note: what a reader has to know of this number, such as why it has no standard error.
    """

    metric: str
    value: float
    unit: str
    n: int
    std_error: float | None = None
    reference: str = ""
    nfe: float = 0.0
    vjp: float = 0.0
    role: Role = Role.QUALITY
    belongs_to: str = ""
    evidence: Tensor | None = field(default=None, repr=False, compare=False)
    reference_n: int | None = None
    reference_note: str = ""
    note: str = ""

    @property
    def ranked(self) -> bool:
        """True if less or more of it is better."""
        return self.role in (Role.QUALITY, Role.ERROR)


@dataclass(frozen=True, eq=False)
class Trial:
    """All that stands behind the samples of one cell.

    Attributes:
        model: the model that was sampled.
        process: the noise process.
        sampler: the sampler that drew them.
        times: the grid.
        draw: their number, seed and batches.
        requested: the noise-to-signal ratios s_min and s_max of the protocol; None: those at the
            ends of ``times``, as of every grid that spans them.
        questions: what the samples answer under a task, or None.
    """

    model: ScoreModel
    process: NoiseProcess
    sampler: Sampler
    times: Sequence[Time]
    draw: Draw
    requested: tuple[float, float] | None = None
    questions: Questions | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The noise-to-signal ratios (s_min, s_max) between which samples were to be drawn."""
        return self.requested or (self.times[-1].s, self.times[0].s)

    @property
    def guidance(self) -> Guidance[Any] | None:
        """The guidance, ``none`` under a task without one."""
        denoiser = self.model.denoiser
        return denoiser.guidance if isinstance(denoiser, GuidedModel) else None

    def labels(self, first: int, count: int) -> Tensor | None:
        """The classes of the samples ``first`` .. ``first + count - 1``, if they have any."""
        if self.questions is not None:
            return self.questions.of_samples(self.draw.seed, first, count).labels
        denoiser = self.model.denoiser
        network = denoiser.model.denoiser if isinstance(denoiser, GuidedModel) else denoiser
        if not isinstance(network, Conditional):
            return None
        return network.labels(self.draw.seed, first, count, self.draw.device)

    @property
    def unguided(self) -> ScoreModel:
        """The model as it was loaded, without guidance and questions."""
        denoiser = self.model.denoiser
        return denoiser.model if isinstance(denoiser, GuidedModel) else self.model

    def ode_solver(self, metric: str, reason: str) -> OdeSolver[Any]:
        """The cell's ODE solver, whose grid spans the requested range.

        Args:
            metric: what asks.
            reason: why a stochastic sampler does not serve it.

        Raises:
            UnsupportedError: the sampler is stochastic, or the grid leaves out a part.
        """
        stepper, ends = self.sampler.stepper, (self.times[-1].s, self.times[0].s)
        if not isinstance(stepper, OdeSolver) or self.sampler.corrector is not None:
            raise UnsupportedError(f"{metric} {reason}")
        self.refuse_denoising(metric)
        if not all(math.isclose(s, t, rel_tol=1e-6) for s, t in zip(ends, self.span, strict=True)):
            raise UnsupportedError(
                f"{metric} needs a grid from s = {self.span[1]:g} to {self.span[0]:g}; this one "
                f"goes from {ends[1]:g} to {ends[0]:g}"
            )
        return stepper

    def refuse_denoising(self, metric: str) -> None:
        """Refuse a metric of the network itself where the host changes what it says.

        Raises:
            UnsupportedError: the sampler has options such as clip.
        """
        if self.sampler.denoising.changed:
            raise UnsupportedError(
                f"{metric} is of the network as it is; drop `denoising` ({self.sampler.denoising})"
            )

    @property
    def observed(self) -> bool:
        """True if samples answer observations."""
        if self.questions is None:
            return False
        return self.questions.of_samples(self.draw.seed, 0, 1).observation is not None

    @property
    def stochastic(self) -> bool:
        """True if a sample does not follow from the noise that it starts from."""
        guidance = self.guidance
        return (
            self.sampler.stepper.stochastic
            or self.sampler.corrector is not None
            or (guidance is not None and guidance.stochastic)
        )

    @property
    def log_prob(self) -> LogProb | None:
        """The exact log density of the model without guidance, where it has one."""
        if self.guidance is not None:
            return None
        exact = self.model.target.exact
        return exact.log_prob if exact else None


class Accumulator(Protocol):
    """A metric in the making."""

    def add(self, batch: Batch) -> None:
        """Take in a batch; batches come once each, in order."""
        ...

    def result(self) -> Sequence[Measurement]:
        """The numbers, after the last batch."""
        ...


class Metric(Plugin, ABC):
    """A plugin that turns the samples of a cell, or its solver, into numbers.

    ``unit`` and ``title`` label plots. Smaller is better for numbers of the role quality, unless
    ``larger_is_better``. The names of numbers are free; ``role`` gives their meaning. ``answers``
    says that the number is of samples that answer questions (``trial.questions``); other metrics
    mean the model's whole distribution, and are refused where a task has observations.
    """

    unit: ClassVar[str]
    title: ClassVar[str]
    larger_is_better: ClassVar[bool] = False
    answers: ClassVar[bool] = False


class SampleMetric(Metric):
    """A metric of the samples, streamed batch by batch."""

    @abstractmethod
    def start(self, trial: Trial) -> Accumulator:
        """A fresh accumulator.

        Raises:
            UnsupportedError: the metric has no meaning for this model or sampler.
        """


class SolverMetric(Metric):
    """A metric of the solver itself, such as the likelihood that it computes."""

    @abstractmethod
    def measure(self, trial: Trial) -> Sequence[Measurement]:
        """The numbers.

        Raises:
            UnsupportedError: the metric has no meaning for this model or sampler.
        """
