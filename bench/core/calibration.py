"""What a plugin sees that evaluates the network before sampling begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from bench.core.model import CountedDenoiser
from bench.core.noise import SHARD, NoiseStream
from bench.core.problem import Problem
from bench.core.process import NoiseProcess
from bench.core.sample import Draw


@dataclass(frozen=True, eq=False)
class Calibration:
    """The cell that a plugin is calibrated for.

    What it costs is recorded beside the samples' NFE, not in it. Decide by these values and by
    ``starts`` alone, so that equal cells are calibrated equally, whatever ran before.

    Attributes:
        process: the noise process.
        model: the denoiser, with a counter of its own.
        s_min, s_max: the noise-to-signal ratios between which samples will be drawn.
        steps: the number of steps that they will take.
        draw: seed, shape, dtype and device of the samples.
    """

    process: NoiseProcess
    model: CountedDenoiser
    s_min: float
    s_max: float
    steps: int
    draw: Draw

    @property
    def problem(self) -> Problem:
        """The reverse problem, without noise of its own: for deterministic solvers."""
        return Problem(self.process, self.model)

    def starts(self, samples: int) -> Iterator[Tensor]:
        """``samples`` draws from the prior at s_max, in batches of at most one shard.

        They are other draws than those from which the cell's samples start.
        """
        start, draw = self.process.at_s(self.s_max), self.draw
        for first in range(0, samples, SHARD):
            count = min(SHARD, samples - first)
            stream = NoiseStream(
                draw.seed, "calibrate", first, count, draw.shape, draw.dtype, draw.device
            )
            yield stream.normal().mul_(start.sigma)
