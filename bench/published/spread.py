"""How far a measured number may be from a published one by chance alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from bench.published.figures import PublishedFigure
from bench.stats.spread import normal_minimum

SIGMAS = 3.0
"""Standard deviations of the difference that count as chance: 0.3 % of all figures exceed them."""


@dataclass(frozen=True)
class Deviation:
    """A measured number beside a published one.

    Attributes:
        measured: what to hold against the figure.
        difference: measured - published.
        tolerance: half the last printed digit, and ``sigmas`` standard deviations of chance.
        how: how ``measured`` came about.
    """

    measured: float
    difference: float
    tolerance: float
    how: str

    @property
    def within(self) -> bool:
        """Whether chance explains the difference."""
        return abs(self.difference) <= self.tolerance


def deviation(
    figure: PublishedFigure,
    values: Sequence[float],
    errors: Sequence[float],
    sigmas: float = SIGMAS,
) -> Deviation:
    """What ``values`` (one for each seed) say of ``figure``.

    A published minimum of k runs is held against the minimum of as many; of any other number, the
    mean is lowered by what a minimum of k normal numbers lies below theirs. The standard deviation
    of one run is the table's spread, or that of the seeds where it is larger.

    Args:
        figure: the published number.
        values: the measured ones.
        errors: their own standard errors, where they have any.
        sigmas: how many standard deviations count as chance.
    """
    count, runs = len(values), figure.table.runs
    one = figure.table.spread * abs(figure.value)
    if count > 1:
        one = max(one, stdev(values))
    published = one / math.sqrt(runs)
    measured, own = fmean(values), one / math.sqrt(count)
    how = f"mean of {count}" if count > 1 else "one run"
    if figure.table.aggregate == "minimum":
        shift, width = normal_minimum(runs)
        published = width * one
        if count == runs:
            measured, own, how = min(values), published, f"minimum of {count}"
        else:
            measured += shift * one
            how += f", lowered to what a minimum of {runs} is expected at"
    # Seeds share the data points that such an error comes from: it does not average out.
    own = max([own, *errors])
    tolerance = figure.rounding + sigmas * math.hypot(published, own)
    return Deviation(measured, measured - figure.value, tolerance, how)
