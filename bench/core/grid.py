"""Time grids: the points at which a solver evaluates the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.calibration import Calibration
from bench.core.plugin import Plugin
from bench.core.process import NoiseProcess, Time


class TimeGrid(Plugin, ABC):
    """steps + 1 points of time with decreasing noise, from s_max down to s_min > 0."""

    spans: ClassVar[bool] = True
    """False where the ends are not exactly s_max and s_min."""
    needs_calibration: ClassVar[bool] = False
    """True if ``times`` works only on what ``calibrate`` returns."""

    def calibrate(self, cell: Calibration) -> TimeGrid:
        """The grid to use for ``cell``; called once before its samples are drawn.

        By default the grid itself, at no cost. Network evaluations through ``cell.model`` are
        recorded as the cell's calibration and are no part of its NFE.
        """
        return self

    @abstractmethod
    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        """The grid of ``steps`` >= 1 steps; its ends are ``at_s`` of ``s_max`` and of ``s_min``."""


@dataclass(frozen=True)
class FixedTimes(TimeGrid):
    """The outcome of a calibration: ``points``, whatever is asked."""

    name: ClassVar[str] = "fixed"
    reference: ClassVar[str] = "the grid that was calibrated"

    points: tuple[Time, ...]

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        return self.points


def times_at_levels(process: NoiseProcess, levels: Tensor) -> tuple[Time, ...]:
    """The points of time whose noise-to-signal ratios are ``levels`` (float64)."""
    return tuple(process.at(t) for t in process.time_at(levels).tolist())


def uniform_times(
    process: NoiseProcess, steps: int, s_min: float, s_max: float
) -> tuple[Time, ...]:
    """steps + 1 points from ``s_max`` down to ``s_min``, uniform in t."""
    start, end = process.at_s(s_max), process.at_s(s_min)
    inner = start.t + (end.t - start.t) * unit_interval(steps)[1:-1]
    return (start, *(process.at(t) for t in inner.tolist()), end)


def unit_interval(steps: int) -> Tensor:
    """0, 1/steps, ..., 1 in float64."""
    return torch.linspace(0, 1, steps + 1, dtype=torch.float64)
