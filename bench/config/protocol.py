"""The rules under which the numbers of a cell are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

PositiveInt = Annotated[int, Field(gt=0, le=10**9)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Part of every cell's key; its fields are columns of the results.

    Attributes:
        samples: number of samples.
        batch: samples that go through the loop together.
        shard: rows of one network call; results are bitwise equal for all batches that are
            multiples of it.
        dtype: of state and network.
        s_min, s_max: noise-to-signal ratios where the grid ends and starts; None: the model's,
            as far as the process reaches.
        finish: ``denoise`` ends with one network evaluation at s_min, ``none`` at s_min itself.
    """

    samples: PositiveInt = 1000
    batch: PositiveInt = 256
    shard: PositiveInt = 64
    dtype: Literal["float32", "float64"] = "float32"
    s_min: PositiveFloat | None = None
    s_max: PositiveFloat | None = None
    finish: Literal["denoise", "none"] = "denoise"
