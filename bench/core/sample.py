"""The one sampling loop: budget, predictor and corrector, final denoise, batches."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from bench.core.denoising import NOTHING, Denoising
from bench.core.errors import BenchError
from bench.core.model import CountedDenoiser
from bench.core.noise import SHARD, NoiseStream, Purpose
from bench.core.problem import LogProb, Problem
from bench.core.process import NoiseProcess, Time
from bench.core.solver import Adaptive, Corrector, Stepper

AnyStepper = Stepper[Any]


@dataclass(frozen=True)
class Sampler:
    """A stepper, perhaps a corrector, and a final denoise.

    Attributes:
        stepper: predictor or ODE solver.
        corrector: what corrects after each step.
        finish: whether the core ends with a denoising step.
        price: passes through the network of one call of the model, at most: two under
            classifier-free guidance.
        price_at: the same at a noise-to-signal ratio, where that decides.
        denoising: what the host does to the denoiser.
    """

    stepper: AnyStepper
    corrector: Corrector | None = None
    finish: bool = True
    price: int = 1
    price_at: Callable[[float], int] | None = None
    denoising: Denoising = NOTHING

    def cost(self, steps: int) -> int:
        """Declared passes of ``steps`` steps, correctors and the final denoise included.

        An analytical first step saves one evaluation; on a grid it may be more (`cost_on`).
        """
        corrections = 0 if self.corrector is None else steps * self.corrector.cost()
        calls = self.stepper.cost(steps) + corrections - self.denoising.afs
        return self.price * calls + self.finish_cost

    @property
    def finish_cost(self) -> int:
        """Passes of the final denoise, where the stepper does not finish by itself."""
        return self.price * int(self.finish and not self.stepper.finishes)

    def finish_cost_at(self, s: float) -> int:
        """Passes of the final denoise at noise-to-signal ratio ``s``."""
        return self.finish_cost and (self.price_at(s) if self.price_at else self.finish_cost)

    def cost_on(self, process: NoiseProcess, times: Sequence[Time]) -> int:
        """Declared passes on this grid: less than `cost` where not all noise levels cost alike.

        The levels of the evaluations are those of a run on a model that costs nothing.
        """
        if self.price_at is None and not self.denoising.afs:
            return self.cost(len(times) - 1)
        levels: list[float] = []

        def denoise(y: Tensor, s: Tensor) -> Tensor:
            levels.extend(s.expand(len(y)).tolist())
            return y / (1 + s.reshape(-1, 1).square())

        noise = NoiseStream(0, "probe", 0, 1, (1,), torch.float64)
        x = torch.full((1, 1), times[0].sigma, dtype=torch.float64)
        model = self.denoising.of(denoise, times[0].s)
        self.run(Problem(process, model, noise), x, times)
        return sum(map(self.price_at, levels)) if self.price_at else self.price * len(levels)

    def steps_for(self, budget: int) -> int:
        """The largest number of steps whose declared cost is at most ``budget`` NFE.

        Raises:
            BenchError: not even one step fits.
        """
        most = budget + int(self.denoising.afs)
        steps = bisect_right(range(1, most + 1), budget, key=self.cost)
        if steps == 0:
            raise BenchError(f"one step costs {self.cost(1)} NFE, more than the budget of {budget}")
        return steps

    @property
    def adaptive(self) -> bool:
        """True if the stepper chooses its own steps."""
        return isinstance(self.stepper, Adaptive)

    def run(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        """x_0 from ``x`` at ``times[0]`` (x at ``times[-1]`` where ``finish`` is off)."""
        if self.corrector is None and not problem.settles:
            end = self.stepper.solve(problem, x, times)
        else:
            end = self._alternate(problem, x, times)
        if end.shape != x.shape or end.dtype != x.dtype:
            # Else broadcasting or promotion would hide it, and the numbers mean nothing.
            raise BenchError(
                f"sampler '{self.stepper.name}' turned a state of {tuple(x.shape)} {x.dtype} "
                f"into {tuple(end.shape)} {end.dtype}; a step must keep both"
            )
        return problem.denoise(end, times[-1]) if self.finish_cost else end

    def _alternate(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        # Song et al. 2021, Algorithm 1: predict, then correct at the time just reached. What a
        # guidance replaces in the state it replaces before each of them (Appendix I.2).
        state, x = self.stepper.start(times), problem.settle(x, times[0])
        for now, then in pairwise(times):
            x, state = self.stepper.step(problem, x, now, then, state)
            x = problem.settle(x, then)
            if self.corrector is not None:
                x = problem.settle(self.corrector.correct(problem, x, then), then)
        return x


@dataclass(frozen=True)
class Batch:
    """Samples ``first`` .. ``first + len(x) - 1`` of a run."""

    first: int
    x: Tensor


@dataclass(frozen=True)
class Draw:
    """The samples to draw: their number, noise and batches.

    Attributes:
        seed: seed of all noise.
        samples: number of samples.
        batch: samples that go through the loop together.
        shape: shape of one sample.
        dtype: of the state and the network.
        device: of the state and the network.
    """

    seed: int
    samples: int
    batch: int
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    device: torch.device = torch.device("cpu")

    @property
    def dimension(self) -> int:
        """Number of entries of one sample."""
        return math.prod(self.shape)

    def slices(self) -> Iterator[tuple[int, int]]:
        """(first, count) of each batch."""
        for first in range(0, self.samples, self.batch):
            yield first, min(self.batch, self.samples - first)

    def standard_prior(self, first: int, count: int) -> Tensor:
        """The standard normal noise from which samples ``first`` .. ``first + count - 1`` start."""
        return self._stream("prior", first, count).normal()

    def prior(self, start: Time, first: int, count: int) -> Tensor:
        """x_T ~ N(0, sigma_T^2 I).

        In normalised coordinates y_T = s_T eps for every process, so that all processes start
        from the same noise.
        """
        return self.standard_prior(first, count).mul_(start.sigma)

    def sampler_noise(self, first: int, count: int) -> NoiseStream:
        """The noise that stochastic samplers draw on their way."""
        return self._stream("sampler", first, count)

    def _stream(self, purpose: Purpose, first: int, count: int) -> NoiseStream:
        return NoiseStream(self.seed, purpose, first, count, self.shape, self.dtype, self.device)


def generate(
    process: NoiseProcess,
    model: CountedDenoiser,
    sampler: Sampler,
    times: Sequence[Time],
    draw: Draw,
    log_prob: LogProb | None = None,
) -> Iterator[Batch]:
    """Draw samples batch by batch; ``log_prob`` is the exact log density where it is known.

    A batch-coupled stepper (one error norm for the whole batch) runs in batches of one shard, so
    that even its samples do not depend on the batch size.
    """
    if sampler.stepper.batch_coupled:
        draw = replace(draw, batch=SHARD)
    for first, count in draw.slices():
        batch = replace(draw, samples=count)
        problem = batch_problem(process, model, sampler, times[0], batch, first, log_prob)
        yield Batch(first, sampler.run(problem, draw.prior(times[0], first, count), times))


def batch_problem(
    process: NoiseProcess,
    model: CountedDenoiser,
    sampler: Sampler,
    start: Time,
    draw: Draw,
    first: int,
    log_prob: LogProb | None = None,
) -> Problem:
    """The problem of the ``draw.samples`` samples from ``first`` on, which begin at ``start``."""
    count = draw.samples
    own = model.of_samples(draw.seed, first, count, draw.device)
    limited = sampler.denoising.of(own, start.s)
    # A denoiser that is the same for all samples has no rows to select.
    select = getattr(limited, "of_rows", None) if own is not model else None
    noise, counter = draw.sampler_noise(first, count), model.evaluations
    return Problem(process, limited, noise, log_prob, select, model.shard, counter)
