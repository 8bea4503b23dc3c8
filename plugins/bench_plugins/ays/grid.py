"""The optimised noise levels of Align Your Steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from bench.api import NoiseProcess, Time, TimeGrid, times_at_levels
from bench_plugins.ays.papers import SABOUR2024ALIGN

Table = Literal["sd15", "sdxl", "svd"]

# Noise-to-signal ratios of ten steps, as published with the paper.
_TABLES: dict[Table, tuple[float, ...]] = {
    "sd15": (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029),
    "sdxl": (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029),
    "svd": (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002),
}


@dataclass(frozen=True)
class AlignYourSteps(TimeGrid):
    """A published table of eleven noise levels, optimised for one model.

    For other numbers of steps ln s is interpolated linearly in the index, as the authors do. The
    table is stretched linearly in ln s from its own range to s_min .. s_max (unchanged where
    these are the table's), since the levels were optimised for one model's range: for other models
    the grid is a heuristic. The optimisation itself is not part of this plugin.

    Attributes:
        table: the model it was optimised for, Stable Diffusion 1.5, XL, or Video Diffusion.
    """

    name: ClassVar[str] = "ays"
    reference: ClassVar[str] = (
        "Sabour, Fidler and Kreis 2024, arXiv:2404.14507, and the tables of its quick-start guide"
    )
    bibtex: ClassVar[str] = SABOUR2024ALIGN

    table: Table = "sd15"

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        table = np.log(_TABLES[self.table])
        index = np.linspace(0, len(table) - 1, steps + 1)[1:-1]
        ln_s = np.interp(index, np.arange(len(table)), table)
        share = (ln_s - table[0]) / (table[-1] - table[0])
        inner = math.log(s_max) + torch.from_numpy(share) * math.log(s_min / s_max)
        return process.at_s(s_max), *times_at_levels(process, inner.exp()), process.at_s(s_min)
