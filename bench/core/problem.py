"""The problem that a solver solves: a process, a counted model and its own noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from bench.core.combine import combine
from bench.core.errors import UnsupportedError
from bench.core.evaluations import Evaluations
from bench.core.guidance import Guided
from bench.core.guided import BoundGuidance
from bench.core.model import Denoiser
from bench.core.noise import SHARD, NoiseStream
from bench.core.observation import Observation
from bench.core.process import NoiseProcess, Time

LogProb = Callable[[Tensor, float], Tensor]


@dataclass(frozen=True)
class Problem:
    """The reverse problem of one batch.

    Attributes:
        process: the noise process.
        model: the normalised denoiser, counted and sharded.
        noise: the solver's own per-sample stream; ``None`` where only deterministic solvers make
            sense (likelihoods).
        log_prob: log density in nats of y = x / alpha at noise-to-signal ratio s, shape (n,);
            known for closed forms only. It costs no network evaluation.
        select: gives the model of the samples with these indices, if it treats each in its own way
            (by its class, or by the probes of a likelihood); ``None`` if it treats all alike.
        shard: rows of one network call; samples of two shards are never computed together.
        evaluations: the counter of ``model``'s, which learns here what runs in parallel.
    """

    process: NoiseProcess
    model: Denoiser
    noise: NoiseStream | None = None
    log_prob: LogProb | None = None
    select: Callable[[Tensor], Denoiser] | None = None
    shard: int = SHARD
    evaluations: Evaluations = field(default_factory=Evaluations)

    def denoise(self, x: Tensor, now: Time) -> Tensor:
        """D = E[x_0 | x_t = x], one network evaluation, shape of ``x``."""
        s = torch.full((), now.s, dtype=x.dtype, device=x.device)
        return self.model(x if now.alpha == 1.0 else x / now.alpha, s)

    def denoise_all(self, states: Sequence[tuple[Tensor, Time]]) -> list[Tensor]:
        """D of each (x, time): evaluations of the same samples that wait for none of each other.

        All count as NFE; to the depth of the method they add the deepest one's alone.
        """
        found, depths = [], []
        for x, now in states:
            before = self.evaluations.deep
            found.append(self.denoise(x, now))
            depths.append(self.evaluations.deep - before)
        self.evaluations.abreast += sum(depths) - max(depths, default=0)
        return found

    def score(self, x: Tensor, now: Time) -> Tensor:
        """The score of p_t at ``x``: (alpha D - x) / sigma^2. One evaluation."""
        d = self.denoise(x, now)
        return combine((now.alpha / now.sigma**2, d), (-1 / now.sigma**2, x))

    def eps(self, x: Tensor, now: Time) -> Tensor:
        """The predicted noise (x - alpha D) / sigma. One evaluation."""
        d = self.denoise(x, now)
        return combine((1 / now.sigma, x), (-now.alpha / now.sigma, d))

    def velocity(self, x: Tensor, now: Time) -> Tensor:
        """The probability-flow drift dx/dt = f x - g^2 score / 2. One evaluation.

        Song et al. 2021, Eq. 13. Written as (f + r) x - r alpha D with r = g^2 / (2 sigma^2).
        """
        d = self.denoise(x, now)
        rate = now.g2 / (2 * now.sigma**2)
        return combine((now.f + rate, x), (-rate * now.alpha, d))

    def split(self, x: Tensor, now: Time) -> Guided:
        """D and, under a guidance that ``splits``, the D that it guides (else D again).

        For solvers with ``renoises``, which take the noise that stays in x of the second. It costs
        what `denoise` does.
        """
        if not (isinstance(self.model, BoundGuidance) and self.model.guidance.splits):
            d = self.denoise(x, now)
            return Guided(d, d)
        s = torch.full((), now.s, dtype=x.dtype, device=x.device)
        return self.model.split(x / now.alpha, s)

    @property
    def observation(self) -> Observation:
        """The observation of the samples, for solvers that ``observe`` it themselves.

        Raises:
            UnsupportedError: nothing was.
        """
        return self._bound().given.observation

    def settle(self, x: Tensor, now: Time) -> Tensor:
        """``x`` at ``now`` as the guidance wants it before a step."""
        return self.model.settle(x, now) if isinstance(self.model, BoundGuidance) else x

    @property
    def settles(self) -> bool:
        """True if the guidance changes the state between steps."""
        return isinstance(self.model, BoundGuidance) and self.model.guidance.settles

    def _bound(self) -> BoundGuidance:
        if not isinstance(self.model, BoundGuidance):
            raise UnsupportedError("an observation is needed; give the suite a task")
        return self.model

    def of_rows(self, rows: Tensor) -> Problem:
        """The problem of the samples with the indices ``rows``, shape (m,).

        For methods that go on with some samples of a batch. Its noise remains the whole batch's.
        """
        return self if self.select is None else replace(self, model=self.select(rows))

    def at(self, t: float) -> Time:
        """A point of time between the grid's (for Runge-Kutta stages)."""
        return self.process.at(t)

    def at_lam(self, lam: float) -> Time:
        """The point of time of half log-SNR ``lam`` (for stages in lambda)."""
        return self.process.at_s(math.exp(-lam))

    def normal(self) -> Tensor:
        """The next standard normal draw of these samples' own stream, shape of the batch."""
        return self._stream().normal()

    def uniform(self) -> Tensor:
        """The next draw uniform on [0, 1) of these samples' own stream, shape of the batch."""
        return self._stream().uniform()

    def _stream(self) -> NoiseStream:
        if self.noise is None:
            raise UnsupportedError("this solver draws noise, which a likelihood has no use for")
        return self.noise
