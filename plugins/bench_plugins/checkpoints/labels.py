"""Time labels of noise levels, by the conventions in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from bench.api import require
from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.predictions import Path
from bench_plugins.checkpoints.unet2d.betas import betas_of
from bench_plugins.checkpoints.vp_time import VpTime

Schedule = Literal["linear", "scaled_linear", "cosine", "vp", "flow"]
Convention = Literal["diffusers", "ddpm", "score_sde", "rescaled", "unit", "thousand"]

_OF_TABLES = ("diffusers", "ddpm", "score_sde", "rescaled")
_OF_TIME = ("score_sde", "unit", "thousand")
_OF_FLOWS = ("diffusers", *_OF_TIME)
_T_MIN = 1e-3


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of noise-to-signal ratios.

    Attributes:
        path: how x_t is made.
        levels: their number N.
        s_range: the ratios that the network knows.
        factor, first: the label is first + factor place; place is that in the table, from 0, or
            the time from 0 to 1.
        table: the trained levels, of a table.
        betas: beta(0) and beta(1) of score_sde's continuous VP SDE.
        whole: whether labels are rounded to whole ones, int64.
        turned: whether time runs from noise to data.
    """

    path: Path
    levels: int
    s_range: tuple[float, float]
    factor: float = 1.0
    first: float = 0.0
    table: LevelTable | None = None
    betas: tuple[float, float] = (0.1, 20.0)
    whole: bool = False
    turned: bool = False

    def to(self, device: torch.device) -> Labels:
        """The labels of ratios on ``device``."""
        return self if self.table is None else replace(self, table=self.table.to(device))

    def __call__(self, level: Tensor, alpha: Tensor) -> Tensor:
        """The label at s = ``level`` and alpha, float64 (or int64), (n,)."""
        label = self.first + self.factor * self._place(level, alpha)
        return label.round().long() if self.whole else label

    def _place(self, level: Tensor, alpha: Tensor) -> Tensor:
        if self.table is not None:
            return self.table.label(level)
        if self.path == "flow":
            return alpha if self.turned else level * alpha
        return VpTime(*self.betas).at(level.square().log1p())


def labels_of_table(table: LevelTable, convention: Convention, whole: bool | None) -> Labels:
    """Labels of a table of levels.

    Raises:
        ValueError: the convention is none of tables.
    """
    require(
        convention in _OF_TABLES,
        f"labels of a table must be one of {', '.join(_OF_TABLES)}",
    )
    levels = len(table.logs)
    return Labels(
        "vp",
        levels,
        table.s_range,
        factor=1000 / levels if convention == "rescaled" else 1.0,
        first=1.0 if convention == "ddpm" else 0.0,
        table=table,
        whole=convention in ("diffusers", "ddpm") if whole is None else whole,
    )


def labels_of_time(
    schedule: Literal["vp", "flow"],
    convention: Convention,
    levels: int,
    betas: tuple[float, float],
    whole: bool | None,
    turned: bool,
) -> Labels:
    """Labels of a continuous time.

    Raises:
        ValueError: the convention is none of it, or the betas make no sense.
    """
    known = _OF_FLOWS if schedule == "flow" else _OF_TIME
    require(convention in known, f"labels of '{schedule}' must be one of {', '.join(known)}")
    require(0 < betas[0] < betas[1], "0 < beta_start < beta_end must hold")
    factor = {"diffusers": levels, "score_sde": levels - 1, "thousand": 1000}.get(convention, 1)
    if schedule == "flow":
        ends = (1 / (levels - 1), float(levels - 1))  # pure noise has no finite ratio
    else:
        ends = (VpTime(*betas).ratio(_T_MIN), VpTime(*betas).ratio(1.0))
    return Labels(
        schedule,
        levels,
        ends,
        factor=float(factor),
        betas=betas,
        whole=bool(whole),
        turned=turned,
    )


def table_of_betas(betas: Sequence[float] | Tensor) -> LevelTable:
    """The levels of a table of betas; a last beta of 1, which leaves no signal, is left out.

    Raises:
        ValueError: they are not between 0 and 1.
    """
    values = torch.as_tensor(betas, dtype=torch.float64)
    values = values[:-1] if len(values) and float(values[-1]) == 1 else values
    require(
        len(values) >= 2 and bool(((values > 0) & (values < 1)).all()),
        "betas must be at least two, between 0 and 1",
    )
    return LevelTable.of_betas(values)


def table_of_squares(squares: Sequence[float] | Tensor) -> LevelTable:
    """The levels of a table of squared alphas; a last 0, which leaves no signal, is left out.

    Raises:
        ValueError: they are not falling between 1 and 0.
    """
    values = torch.as_tensor(squares, dtype=torch.float64)
    values = values[:-1] if len(values) and float(values[-1]) == 0 else values
    require(
        len(values) >= 2
        and bool(((values > 0) & (values < 1)).all() and (values.diff() < 0).all()),
        "alphas_cumprod must be at least two, falling, between 1 and 0",
    )
    return LevelTable.of_squared_alphas(values)


def table_of_schedule(schedule: str, levels: int, ends: tuple[float, float]) -> LevelTable:
    """The levels of a named table.

    Raises:
        ValueError: its betas are not between 0 and 1.
    """
    name = "squaredcos_cap_v2" if schedule == "cosine" else schedule
    require(0 < ends[0] < 1 and 0 < ends[1] < 1, "beta_start and beta_end must be between 0 and 1")
    return table_of_betas(betas_of(name, levels, ends))
