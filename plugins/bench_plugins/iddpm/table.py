"""A discrete schedule, given level by level, in continuous time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import BenchError, FilePath, NoiseProcess, paper, require
from bench_plugins.iddpm.curve import RisingCurve
from bench_plugins.iddpm.table_file import Table, TableKind, integral_of, read_table

_SLACK = 1e-6
"""Round-off, relative, that a noise-to-signal ratio at the end of the table may carry."""


@dataclass(frozen=True)
class TableProcess(NoiseProcess):
    """Variance preserving, through a table of N levels: level k, from 0, stands at t = (k + 1) / N.

    At the levels alpha^2 is the table's product of 1 - beta. Between them B = -ln alpha^2 is a
    cubic spline through these points and B(0) = 0: twice continuously differentiable where it is
    monotone (of DDPM's tables it is, and gives back VP's B, a parabola, to the last digits), else
    the monotone cubic of Fritsch and Butland, whose beta(t) = B' is continuous. So beta(t) is N
    times a beta of the table, about. Levels without signal (a last beta of 1) are refused: their
    noise-to-signal ratio is infinite.

    Attributes:
        betas: the table, at least two numbers between 0 and 1. Without any table it is DDPM's:
            1000 equal steps from 1e-4 to 0.02.
        alphas_cumprod: in place of betas the products of 1 - beta, falling, between 1 and 0.
        file: in place of both a .json, .csv, .npy, .npz or .safetensors file that holds one of
            them: a list (a column), or an array or entry of that name.
        kind: what the file holds, `betas` or `alphas_cumprod`; ``None``: what its names say.
    """

    name: ClassVar[str] = "table"
    reference: ClassVar[str] = (
        "Ho et al. 2020, arXiv:2006.11239, Section 2 and 4; "
        "Song et al. 2021, arXiv:2011.13456, Appendix B"
    )
    bibtex: ClassVar[str] = paper("ho2020denoising") + paper("song2021score")

    betas: tuple[float, ...] | None = None
    alphas_cumprod: tuple[float, ...] | None = None
    file: FilePath = ""
    kind: TableKind | None = None

    def __post_init__(self) -> None:
        given = [self.betas is not None, self.alphas_cumprod is not None, bool(self.file)]
        require(sum(given) <= 1, "betas, alphas_cumprod and file exclude each other: give one")
        require(
            self.kind is None or bool(self.file),
            "kind must be left out where there is no file: it says what a file holds",
        )
        if not self.file:
            integral_of(self._table())

    def fingerprint(self) -> str:
        """The number of levels of a file, of which an impossible one is refused at planning."""
        return str(len(self._curve.knots)) if self.file else ""

    def _table(self) -> Table:
        if self.betas is not None:
            return Table("betas", self.betas)
        if self.alphas_cumprod is not None:
            return Table("alphas_cumprod", self.alphas_cumprod)
        if self.file:
            return read_table(Path(self.file), self.kind)
        return Table("betas", tuple(torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).tolist()))

    @cached_property
    def _curve(self) -> RisingCurve:
        """B over k + 1 = N t."""
        try:
            return RisingCurve.through(integral_of(self._table()))
        except ValueError as error:
            raise BenchError(f"process 'table': {self.file}: {error}; correct the file") from None

    @property
    def _levels(self) -> int:
        return len(self._curve.knots) - 1

    @property
    def t_min(self) -> float:
        return 1 / self._levels

    @property
    def t_max(self) -> float:
        return 1.0

    def alpha(self, t: Tensor) -> Tensor:
        return (-0.5 * self._curve(t * self._levels)).exp()

    def sigma(self, t: Tensor) -> Tensor:
        return (-torch.expm1(-self._curve(t * self._levels))).sqrt()

    def time_at(self, s: Tensor) -> Tensor:
        wanted = (s * s).log1p()
        last = self._curve.knots[-1].to(s)
        if bool((wanted > last * (1 + _SLACK)).any()) or bool((s <= 0).any()):
            top = math.sqrt(math.expm1(float(last)))
            raise BenchError(
                f"process 'table': s = {float(s.max()):g} is beyond the table, which has noise up "
                f"to s = {top:g}; lower s_max, or extend the table"
            )
        return self._curve.inverse(wanted.clamp_max(last)) / self._levels
