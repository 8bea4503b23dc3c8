"""The view of a cell for plugins that evaluate its network before sampling begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from bench.core.model import CountedDenoiser
from bench.core.noise import SHARD, NoiseStream
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.sample import AnyStepper, Draw


@dataclass(frozen=True, eq=False)
class Calibration:
    """The cell that a plugin is calibrated for.

    Its evaluations are recorded beside the samples' NFE, not in it. Decide by nothing but these
    values and ``starts``, so that equal cells are calibrated equally, whatever ran before.

    Attributes:
        process: the noise process.
        model: the denoiser, with a counter of its own.
        s_min: the noise-to-signal ratio at which samples will end.
        s_max: the noise-to-signal ratio from which they will start.
        steps: the number of steps that they will take.
        draw: seed, shape, dtype and device of the samples.
        stepper: the solver that will run, for grids that are made for one; None where none is
            known.
        times: the grid, for solvers; empty for grids, which choose it.
    """

    process: NoiseProcess
    model: CountedDenoiser
    s_min: float
    s_max: float
    steps: int
    draw: Draw
    stepper: AnyStepper | None = None
    times: tuple[Time, ...] = ()

    def starts(self, samples: int) -> Iterator[tuple[Problem, Tensor]]:
        """``samples`` draws from the prior at s_max, in batches of at most one shard.

        Each batch comes with its reverse problem, without noise of its own: for deterministic
        solvers. The draws differ from those from which the cell's samples start; the classes are
        the same.
        """
        start, draw = self.process.at_s(self.s_max), self.draw
        for first in range(0, samples, SHARD):
            count = min(SHARD, samples - first)
            stream = NoiseStream(
                draw.seed, "calibrate", first, count, draw.shape, draw.dtype, draw.device
            )
            model = self.model.of_samples(draw.seed, first, count, draw.device)
            problem = Problem(self.process, model, evaluations=self.model.evaluations)
            yield problem, stream.normal().mul_(start.sigma)
