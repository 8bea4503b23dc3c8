"""Quantiles of a Beta distribution over the times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, require, unit_interval
from bench_plugins.schedules.papers import LEE2024BETA


@dataclass(frozen=True)
class Beta(TimeGrid):
    """t at the quantiles 1, 1 - 1/N, .., 0 of a Beta distribution between the ends.

    With alpha and beta below 1 points lie close at both ends of t and far apart in the middle;
    both 1 is ``uniform_t``. The authors' grids and ComfyUI's are the same quantiles of a table of
    1000 levels, rounded, without the last, which is their step to zero noise.

    Attributes:
        alpha: first shape parameter; below 1 draws points to small noise.
        beta: second shape parameter; below 1 draws points to large noise. Both are 0.6 in the paper
            and in ComfyUI; "beta57" is alpha = 0.5, beta = 0.7.
    """

    name: ClassVar[str] = "beta"
    reference: ClassVar[str] = "Lee et al. 2024, arXiv:2407.12173"
    bibtex: ClassVar[str] = LEE2024BETA

    alpha: float = 0.6
    beta: float = 0.6

    def __post_init__(self) -> None:
        require(0.1 <= self.alpha <= 10, "alpha must lie between 0.1 and 10")
        require(0.1 <= self.beta <= 10, "beta must lie between 0.1 and 10")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        from scipy.special import betaincinv  # a third of a second, which no other plugin needs

        start, end = process.at_s(s_max), process.at_s(s_min)
        shares = betaincinv(self.alpha, self.beta, 1 - unit_interval(steps)[1:-1].numpy())
        inner = end.t + (start.t - end.t) * shares
        return (start, *(process.at(t) for t in inner.tolist()), end)
