"""Guidance: a denoiser made of others, so that samples answer a question."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, NamedTuple, TypeVar

from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.noise import NoiseStream
from bench.core.observation import Observation
from bench.core.plugin import Plugin
from bench.core.process import Time
from bench.core.rows import RowNetwork
from bench.core.target import ExactPosterior

M = TypeVar("M")


class Passes(NamedTuple):
    """Passes through the network of one call of a guided denoiser.

    Attributes:
        forward: evaluations.
        vjp: vector-Jacobian products.
    """

    forward: int = 1
    vjp: int = 0


class Guided(NamedTuple):
    """The result of a guidance.

    Attributes:
        d: the guided D, (n, *shape).
        unguided: D as the model has it; solvers that add noise anew take it of this one where a
            guidance ``splits`` (CFG++).
    """

    d: Tensor
    unguided: Tensor


@dataclass(frozen=True, eq=False)
class Given:
    """All that a guidance may use for the samples of one batch; every evaluation is counted.

    The networks are normalised denoisers D(y; s), called as ``given.plain(y, s)``; what is not
    there raises UnsupportedError, which becomes the cell's reason.

    Attributes:
        networks: by name: ``plain``, ``conditional``, ``weak``, ``classifier``.
        labels_: the samples' classes, (n,), or None.
        observation_: what was observed of them, or None.
        posterior_: their exact distribution given the observation, or None.
        noise: the guidance's own stream.
    """

    networks: Mapping[str, RowNetwork]
    labels_: Tensor | None
    observation_: Observation | None
    posterior_: ExactPosterior | None
    noise: NoiseStream

    @property
    def plain(self) -> RowNetwork:
        """D(y; s), without any condition."""
        return self._network("plain", "a model that takes no class too")

    @property
    def conditional(self) -> RowNetwork:
        """D(y; s, c) of the samples' own classes."""
        return self._network("conditional", "a class-conditional model")

    @property
    def usual(self) -> RowNetwork:
        """The model as it is without guidance: of the samples' classes where it knows any."""
        return self.networks.get("conditional") or self.plain

    @property
    def weak(self) -> RowNetwork:
        """A weaker version of ``usual``."""
        return self._network("weak", "a model with a weaker version of itself")

    @property
    def classifier(self) -> RowNetwork:
        """ln p(c | y; s) of the samples' own classes, (n,); its VJPs count, it itself does not."""
        return self._network("classifier", "a model with a classifier of noised samples")

    @property
    def labels(self) -> Tensor:
        """The samples' classes, int64, (n,)."""
        if self.labels_ is None:
            raise UnsupportedError("guidance needs classes; give the suite a task such as class")
        return self.labels_

    @property
    def observation(self) -> Observation:
        """The observation of the samples."""
        if self.observation_ is None:
            raise UnsupportedError(
                "an observation is needed; give the suite a task such as inpainting"
            )
        return self.observation_

    @property
    def posterior(self) -> ExactPosterior:
        """The exact distribution of each sample given its observation."""
        if self.posterior_ is None:
            raise UnsupportedError(
                "a closed form of the posterior is needed: a Gaussian mixture and a linear task"
            )
        return self.posterior_

    def _network(self, name: str, needs: str) -> RowNetwork:
        if name not in self.networks:
            raise UnsupportedError(f"guidance needs {needs}")
        return self.networks[name]

    def of_rows(self, rows: Tensor) -> Given:
        """The same for the samples with the indices ``rows``, with the whole batch's noise."""
        return replace(
            self,
            networks={name: network.of_rows(rows) for name, network in self.networks.items()},
            labels_=None if self.labels_ is None else self.labels_[rows],
            observation_=self.observation_ and self.observation_.of_rows(rows),
            posterior_=self.posterior_ and self.posterior_.of_rows(rows),
        )


class Guidance(Plugin, ABC, Generic[M]):
    """A denoiser made of the model's, the class or the observation, for any solver.

    It works in normalised coordinates y = x / alpha = x_0 + s eps. ``M`` is the type of what it
    remembers from call to call within a batch, ``None`` for most; nothing is kept on ``self``.

    Class attributes: ``splits``, that solvers must take
    the noise that they add anew from the unguided part (those with ``renoises``); ``stochastic``,
    that it draws noise of its own; ``observes``, that it uses the observation; ``classifies``,
    that it turns even a model without classes towards the samples' classes.
    """

    splits: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    observes: ClassVar[bool] = False
    classifies: ClassVar[bool] = False

    @property
    def passes(self) -> Passes:
        """Passes through the network of one call, the most of any s; measured by the host."""
        return Passes()

    def passes_at(self, s: float) -> Passes:
        """Those of a call at noise-to-signal ratio ``s``, where that decides."""
        return self.passes

    def start(self, given: Given) -> M:
        """The memory before the first call; a fresh one for each batch.

        Raises:
            UnsupportedError: something that it needs is not given.
        """
        return None  # type: ignore[return-value]  # M is None, or this is overridden

    @abstractmethod
    def guide(self, given: Given, y: Tensor, s: Tensor, memory: M) -> Guided:
        """The guided D at ``y`` (n, *shape) and ``s``, () or (n,); ``y`` is not modified."""

    def settle(self, given: Given, x: Tensor, now: Time, memory: M) -> Tensor:
        """``x`` at ``now`` after a step of the solver, before the next one; no evaluation.

        Called at the start too, and after a corrector. Guidances that replace a part of the state
        override it.
        """
        return x

    @property
    def varies(self) -> bool:
        """True if a call costs more at some noise levels than at others."""
        return type(self).passes_at is not Guidance.passes_at

    @property
    def settles(self) -> bool:
        """True if it changes the state between steps."""
        return type(self).settle is not Guidance.settle


@dataclass(frozen=True)
class NoGuidance(Guidance[None]):
    """The model as it is, for samples that have a task and no guidance."""

    name: ClassVar[str] = "none"
    reference: ClassVar[str] = "Song et al. 2021, arXiv:2011.13456"

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        d = given.usual(y, s)
        return Guided(d, d)
