"""The distribution of x_t on a sampler's way, compared with the exact p_t: plain functions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from bench.api import (
    SHARD,
    Adaptive,
    CountedDenoiser,
    ExactDistribution,
    NoiseStream,
    Problem,
    Time,
    Trial,
    UnsupportedError,
    batch_problem,
    times_at_levels,
)
from bench_plugins.metrics.distribution import directions, mean_quantile_gap, quantiles

_OTHER_SEEDS = 2**32
"""Added to the sampler's seed, so that the exact samples share nothing with it."""


@dataclass(frozen=True)
class Marginal:
    """One time of the way.

    Attributes:
        share: of the way from T to the end, in steps, as near as the grid has it.
        time: the point of time.
        distance: sliced Wasserstein distance of the sampler's x_t to exact ones, divided by
            alpha (1 + s^2)^(1/2), so that times are comparable.
        expected: its mean over exact samples of the same number.
        spread: its standard deviation over those.
        repeats: how many of those there were.
    """

    share: float
    time: Time
    distance: float
    expected: float
    spread: float
    repeats: int

    @property
    def excess(self) -> float:
        """distance - expected in standard deviations of that difference; about t-distributed."""
        gap = self.distance - self.expected
        deviation = self.spread * math.sqrt(1 + 1 / self.repeats)
        return gap / deviation if deviation > 0 else math.copysign(math.inf, gap)


@dataclass(frozen=True)
class Yardstick:
    """The exact samples with which x_t is compared.

    Attributes:
        levels: number of times, evenly in steps; the last is the end of the grid.
        samples: how many of the sampler's samples are compared.
        reference_samples: number of exact samples.
        repeats: how many further exact samples of the sampler's size give mean and spread.
        axes: number of directions of the sliced Wasserstein distance.
    """

    levels: int = 5
    samples: int = 1024
    reference_samples: int = 5000
    repeats: int = 20
    axes: int = 32


def measure_marginals(
    trial: Trial, yardstick: Yardstick, counted: CountedDenoiser
) -> tuple[Marginal, ...]:
    """The marginals of the trial's sampler at the times of ``yardstick``, T not included.

    Args:
        trial: its model has a closed form.
        yardstick: what is compared.
        counted: counts the network evaluations that this costs.

    Raises:
        UnsupportedError: there is no closed form, or x_t is not finite.
    """
    exact = trial.model.target.exact
    if exact is None:
        raise UnsupportedError("marginals needs a model with a closed-form distribution")
    n = min(yardstick.samples, trial.draw.samples)
    trial = replace(trial, draw=replace(trial.draw, samples=n))
    times, chosen = _times(trial, yardstick.levels)
    seen = states(trial, times, chosen.keys(), counted)
    if not all(bool(z.isfinite().all()) for z in seen.values()):
        raise UnsupportedError("marginals: the sampler's states are not finite")
    clean, noise = _exact_samples(exact, trial, yardstick, n)
    axes = directions(yardstick.axes, clean.shape[1])
    return tuple(
        _compare(chosen[index], times[index], z, (clean, noise), axes, yardstick)
        for index, z in seen.items()
    )


def _times(trial: Trial, levels: int) -> tuple[tuple[Time, ...], dict[int, float]]:
    """The grid, and the indices of the times to look at, with their share of the way.

    A method that chooses its own steps has no grid: it is stopped at times evenly in ln s.
    """
    times = tuple(trial.times)
    if isinstance(trial.sampler.stepper, Adaptive):
        ends = (math.log(times[0].s), math.log(times[-1].s))
        inner = torch.linspace(*ends, levels + 1, dtype=torch.float64)[1:-1].exp()
        times = (times[0], *times_at_levels(trial.process, inner), times[-1])
    steps = len(times) - 1
    shares = [i / levels for i in range(1, levels + 1)]
    return times, {max(1, round(steps * share)): share for share in shares}


def states(
    trial: Trial, times: Sequence[Time], chosen: Collection[int], counted: CountedDenoiser
) -> Mapping[int, Tensor]:
    """x_t / (alpha (1 + s^2)^(1/2)) at the times of the indices ``chosen``, (n, d), float64.

    The same steps with the same noise as those of the samples themselves, stopped on the way.
    """
    draw = trial.draw
    if trial.sampler.stepper.batch_coupled:
        draw = replace(draw, batch=SHARD)
    parts: dict[int, list[Tensor]] = {index: [] for index in sorted(chosen)}
    for first, count in draw.slices():
        own = replace(draw, samples=count)
        start, log_prob = times[0], trial.log_prob
        problem = batch_problem(trial.process, counted, trial.sampler, start, own, first, log_prob)
        for index, x in _walk(trial, problem, draw.prior(times[0], first, count), times):
            if index in chosen:
                scale = times[index].alpha * math.hypot(1, times[index].s)
                parts[index].append(x.flatten(1).double().cpu() / scale)
    return {index: torch.cat(found) for index, found in parts.items()}


def _walk(
    trial: Trial, problem: Problem, x: Tensor, times: Sequence[Time]
) -> Iterator[tuple[int, Tensor]]:
    """The states after each step, with the index of their time."""
    stepper, corrector = trial.sampler.stepper, trial.sampler.corrector
    state = stepper.start(times)
    for index, (now, then) in enumerate(pairwise(times), start=1):
        x, state = stepper.step(problem, x, now, then, state)
        if corrector is not None:
            x = corrector.correct(problem, x, then)
        yield index, x


def _exact_samples(
    exact: ExactDistribution, trial: Trial, yardstick: Yardstick, n: int
) -> tuple[Tensor, Tensor]:
    """Exact samples (reference first) and as much standard noise, (., d), float64."""
    count = yardstick.reference_samples + yardstick.repeats * n
    seed = trial.draw.seed + _OTHER_SEEDS
    clean = exact.sample(count, seed)
    noise = NoiseStream(seed, "probe", 0, count, tuple(clean.shape[1:]), torch.float64).normal()
    return clean.flatten(1), noise.flatten(1)


def _compare(
    share: float,
    time: Time,
    z: Tensor,
    exact: tuple[Tensor, Tensor],
    axes: Tensor,
    yardstick: Yardstick,
) -> Marginal:
    truth = (exact[0] + time.s * exact[1]) / math.hypot(1, time.s)
    reference = quantiles((truth[: yardstick.reference_samples] @ axes.T).T)
    distance = mean_quantile_gap(z, reference, axes)
    floors = torch.tensor(
        [
            mean_quantile_gap(part, reference, axes)
            for part in truth[yardstick.reference_samples :].split(len(z))
        ]
    )
    return Marginal(share, time, distance, float(floors.mean()), float(floors.std()), len(floors))
