"""A loaded score model and what is known of the distribution it should sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from bench.core.model import Denoiser
from bench.core.noise import NoiseStream
from bench.core.observation import Observation
from bench.core.plugin import Plugin
from bench.core.rows import ForSamples


class ExactDistribution(Protocol):
    """A distribution in closed form, at every noise level."""

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples of the data distribution, float64, (count, *shape)."""
        ...

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Exact log density in nats of x_0 + s eps at ``y``, shape (n,)."""
        ...


class ExactPosterior(Protocol):
    """The distribution of each sample of a batch given its observation, in closed form."""

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y, observation], (n, *shape); ``s`` of shape () or (n,)."""
        ...

    def sample(self, seed: int) -> Tensor:
        """One exact sample for each row, float64, (n, *shape)."""
        ...

    def of_rows(self, rows: Tensor) -> ExactPosterior:
        """That of the samples with the indices ``rows``."""
        ...


@runtime_checkable
class Conditionable(Protocol):
    """A closed form whose posterior given a linear observation has one, too."""

    def posterior(self, observation: Observation) -> ExactPosterior:
        """The distribution of each row given its observation."""
        ...


@dataclass(frozen=True)
class DiscreteData:
    """Held-out data of integer levels, and how they become real numbers.

    Level k of ``levels`` becomes x = (k + u) 2 / levels - 1 with u uniform on [0, 1), so that
    x lies in [-1, 1) (uniform dequantisation; Theis et al. 2016, arXiv:1511.01844).

    Attributes:
        levels: number of levels (256 for bytes).
        held_out: loads data that the model has not seen, uint8, (n, *shape).
    """

    levels: int
    held_out: Callable[[], Tensor]

    def dequantise(self, data: Tensor, stream: NoiseStream) -> Tensor:
        """Real-valued ``data`` with the uniform noise of ``stream``."""
        noise = stream.uniform()
        return (data.to(noise.device, noise.dtype) + noise) * (2 / self.levels) - 1

    def quantise(self, x: Tensor) -> Tensor:
        """The levels of ``x``, uint8: the inverse of ``dequantise``, clamped to the range."""
        levels = ((x + 1) * (self.levels / 2)).floor()
        return levels.clamp(0, self.levels - 1).to(torch.uint8)


@dataclass(frozen=True)
class Target:
    """The data that a model was trained to sample.

    Attributes:
        data: name of the data set or distribution.
        exact: its closed form, where there is one.
        discrete: its held-out data, where it has integer levels.
    """

    data: str
    exact: ExactDistribution | None = None
    discrete: DiscreteData | None = None


@dataclass(frozen=True, eq=False)
class ScoreModel:
    """A model ready to run.

    Attributes:
        denoiser: the normalised denoiser D(y; s), or one for each class.
        shape: shape of one sample.
        s_min: the smallest noise-to-signal ratio that it knows.
        s_max: the largest.
        weights: sha256 of the weights (of the parameters, for closed forms).
        target: what it should sample.
        weak: a weaker version of the denoiser, for autoguidance, where there is one.
        classifier: ln p(c | y; s), (n, classes), of its data, differentiable, where there is one.
    """

    denoiser: Denoiser | ForSamples
    shape: tuple[int, ...]
    s_min: float
    s_max: float
    weights: str
    target: Target
    weak: Denoiser | ForSamples | None = None
    classifier: Callable[[Tensor, Tensor], Tensor] | None = None

    @property
    def price(self) -> int:
        """Passes through the network of one call of the denoiser, at most."""
        return self.denoiser.price if isinstance(self.denoiser, ForSamples) else 1

    def alike(self) -> Denoiser:
        """The denoiser, if it is the same for all samples.

        Raises:
            UnsupportedError: each sample has a class or a question of its own.
        """
        return self.denoiser.alike() if isinstance(self.denoiser, ForSamples) else self.denoiser


class Model(Plugin, ABC):
    """A plugin that loads a score model."""

    @abstractmethod
    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        """The model on ``device`` in ``dtype``.

        Raises:
            BenchError: weights are missing or damaged; says what to fetch and where to put it.
        """


@runtime_checkable
class Describes(Protocol):
    """A model that can say what is in a checkpoint (`bench models info`)."""

    @classmethod
    def describe(cls, path: str) -> Mapping[str, object] | None:
        """A description of the file or folder; None if it is of another kind.

        Nothing in it is executed.

        Raises:
            BenchError: it is of this kind, and damaged or hostile.
        """
        ...


@runtime_checkable
class Exports(Protocol):
    """A model that can write its weights as a safetensors file that describes itself."""

    def export(self, target: Path) -> None:
        """Writes ``target`` (`bench models convert`).

        Raises:
            BenchError: the source cannot be read, or the target cannot be written.
        """
        ...
