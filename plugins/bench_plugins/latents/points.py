"""The data that are encoded: exact samples of a closed form, or held-out data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bench.api import SHARD, Draw, NoiseStream, ScoreModel, UnsupportedError


@dataclass(frozen=True, eq=False)
class Points:
    """Data at noise level s_min.

    Attributes:
        y: normalised coordinates, (n, *shape), in the dtype and on the device of the cell.
        draw: seed, shape and device of the cell for n points, a shard at a time.
        digest: sha256 of the data.
    """

    y: Tensor
    draw: Draw
    digest: str


def data_points(model: ScoreModel, draw: Draw, count: int, s_min: float) -> Points:
    """``count`` points of what ``model`` should sample, or as many as are held out.

    They are the points of `nll_nats` and `nll_bpd`: exact samples of the closed form with noise of
    level ``s_min`` where there is one, else held-out data, uniformly dequantised.

    Raises:
        UnsupportedError: the model has neither.
    """
    target = model.target
    if target.exact is not None:
        data = target.exact.sample(count, draw.seed)
        y = data + s_min * _noise(draw, count).normal()
    elif target.discrete is not None:
        data = target.discrete.held_out()[:count]
        y = target.discrete.dequantise(data, _noise(draw, len(data)))
    else:
        raise UnsupportedError(f"there are neither exact nor held-out data of '{target.data}'")
    digest = hashlib.sha256(data.contiguous().numpy().tobytes()).hexdigest()
    own = replace(draw, samples=len(data), batch=SHARD)
    return Points(y.to(draw.device, draw.dtype), own, digest)


def _noise(draw: Draw, count: int) -> NoiseStream:
    return NoiseStream(draw.seed, "dequantise", 0, count, draw.shape, torch.float64)
