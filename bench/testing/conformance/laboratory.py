"""The bench on which plugins are tried: an easy model, its witnesses, and runs of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.grid import TimeGrid
from bench.core.guided import guide
from bench.core.model import CountedDenoiser, Denoiser
from bench.core.process import NoiseProcess, Time
from bench.core.sample import Draw, Sampler, generate
from bench.core.solver import Adaptive, Corrector, Stepper
from bench.core.target import ScoreModel, Target
from bench.testing.conformance.finding import NotApplicable
from bench.testing.mixture import LineMixture
from bench.testing.plugins import grid_of, process_of
from bench.testing.posed import Posed

SHAPE = (2, 4, 4)
S_MIN, S_MAX = 0.002, 80.0

AnyStepper = Stepper[Any]


def denoise(y: Tensor, s: Tensor) -> Tensor:
    """The same mixture in every entry of an image; ``s`` of shape () or (n,)."""
    each = s if s.ndim == 0 else s.repeat_interleave(y[0].numel())
    return LineMixture().denoise(y.reshape(-1, 1), each).reshape(y.shape)


@dataclass
class Witness:
    """A denoiser that counts by itself what it was asked, whoever asked."""

    inner: Denoiser = denoise
    rows: int = 0
    largest: int = 0

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self.rows += y.shape[0]
        self.largest = max(self.largest, y.shape[0])
        return self.inner(y, s)


def path(
    process: NoiseProcess, steps: int, grid: TimeGrid | None = None, s_min: float = S_MIN
) -> tuple[Time, ...]:
    """A grid over the range of the easy model, as far as the process reaches."""
    low, high = process.s_range
    chosen = grid or grid_of("karras")
    return chosen.times(process, steps, max(s_min, low), min(S_MAX, high))


def times_for(stepper: AnyStepper, steps: int) -> tuple[Time, ...]:
    """The times on which the host would run ``stepper``: the ends alone for adaptive ones."""
    times = path(process_of("vp"), steps)
    return (times[0], times[-1]) if isinstance(stepper, Adaptive) else times


@dataclass(frozen=True)
class Run:
    """The setting in which a sampler runs.

    Attributes:
        samples, batch: how many, and how many at a time.
        seed: of all noise.
        dtype: of the state.
        model: the denoiser.
        shape: of one sample.
    """

    samples: int = 8
    batch: int = 8
    seed: int = 0
    dtype: torch.dtype = torch.float64
    model: Denoiser = denoise
    shape: tuple[int, ...] = SHAPE

    def of(
        self,
        stepper: AnyStepper,
        times: Sequence[Time],
        corrector: Corrector | None = None,
        process: NoiseProcess | None = None,
    ) -> Tensor:
        """The samples at the end of ``times``, shape (samples, *shape).

        Raises:
            NotApplicable: the plugin declares that it can not run here.
        """
        draw = Draw(self.seed, self.samples, self.batch, self.shape, self.dtype)
        sampler = Sampler(stepper, corrector, finish=False)
        counted = (
            self.model if isinstance(self.model, CountedDenoiser) else CountedDenoiser(self.model)
        )
        if stepper.observes:
            counted = self._observe(counted)
        batches = generate(process or process_of("vp"), counted, sampler, times, draw)
        try:
            with torch.no_grad():
                return torch.cat([batch.x for batch in batches])
        except UnsupportedError as error:
            raise NotApplicable(str(error)) from None

    def _observe(self, counted: CountedDenoiser) -> CountedDenoiser:
        """The same denoiser for samples of which the first half is observed."""
        target = Target("laboratory")
        model = ScoreModel(counted.network, self.shape, S_MIN, S_MAX, "laboratory", target)
        posed = Posed(labels=False, dtype=self.dtype, shape=self.shape)
        return CountedDenoiser(guide(model, None, posed, self.dtype).denoiser)
