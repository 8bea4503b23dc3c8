"""Standard errors of differences of means, and their degrees of freedom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bench.stats.arrays import Floats

Samples = Sequence[npt.NDArray[np.float32]]
"""By seed, one number for each sample, whose mean is the value."""


@dataclass(frozen=True)
class SampleSpread:
    """The standard error of a difference of two means.

    Attributes:
        std_error: of the difference.
        freedom: its degrees of freedom.
        units: samples of the smaller side.
        identical: every number is the same on both sides.
    """

    std_error: float
    freedom: float
    units: int
    identical: bool


def paired_spread(base: Samples, head: Samples, block: int = 1) -> SampleSpread | None:
    """From numbers per sample that share their noise: seeds are strata, samples are paired.

    None where the two sides have other numbers of samples, or too few blocks.
    """
    pairs = list(zip(base, head, strict=True))
    if any(len(b) != len(h) for b, h in pairs):
        return None
    gaps = [block_means(h.astype(float) - b.astype(float), block) for b, h in pairs]
    identical = all(np.array_equal(b, h) for b, h in pairs)
    error, freedom = stratified_error(gaps)
    return None if freedom < 1 else SampleSpread(error, freedom, sum(map(len, base)), identical)


def unpaired_spread(base: Samples, head: Samples, block: int = 1) -> SampleSpread | None:
    """The same where the two sides have noise of their own."""
    errors = [
        stratified_error([block_means(values.astype(float), block) for values in side])
        for side in (base, head)
    ]
    if min(freedom for _, freedom in errors) < 1:
        return None
    total = sum(error**2 for error, _ in errors)
    down = sum(error**4 / freedom for error, freedom in errors)
    freedom = total**2 / down if down > 0 else sum(freedom for _, freedom in errors)
    samples = min(sum(map(len, side)) for side in (base, head))
    return SampleSpread(float(np.sqrt(total)), freedom, samples, False)


def block_means(values: Floats, size: int) -> Floats:
    """Means of ``size`` consecutive values; the last block may be shorter, weighted by its size."""
    if size == 1:
        return values
    starts = np.arange(0, len(values), size)
    sums = np.add.reduceat(values, starts)
    return np.asarray(sums * len(starts) / len(values))


def stratified_error(strata: Sequence[Floats]) -> tuple[float, float]:
    """Standard error of the mean of the strata's means, and its degrees of freedom."""
    freedom = sum(len(values) - 1 for values in strata)
    if min(map(len, strata)) < 2:
        return float("nan"), 0.0
    variance = sum(float(values.var(ddof=1)) / len(values) for values in strata)
    return float(np.sqrt(variance)) / len(strata), float(freedom)


def welch_error(
    variances: tuple[Floats, Floats], counts: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Standard error of a difference of two independent means, and Welch's degrees of freedom."""
    parts = [variance / n for variance, n in zip(variances, counts, strict=True)]
    total = parts[0] + parts[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        down = sum(part**2 / (n - 1) for part, n in zip(parts, counts, strict=True))
        freedom = np.where(total > 0, total**2 / down, counts[0] + counts[1] - 2)
    return np.sqrt(total), freedom


@lru_cache(maxsize=16)
def normal_minimum(count: int) -> tuple[float, float]:
    """Mean and standard deviation of the smallest of ``count`` standard normal numbers."""
    normal, step = NormalDist(), 1e-3
    mean = square = 0.0
    for i in range(-9000, 9001):
        x = i * step
        density = count * normal.pdf(x) * (1 - normal.cdf(x)) ** (count - 1) * step
        mean += x * density
        square += x * x * density
    return mean, math.sqrt(square - mean**2)
