"""Samplers with one fault each, of the plain signature."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor


def _euler(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    for now, then in itertools.pairwise(levels):
        x = x + (then - now) / now * (x - denoise(x, now))
    return x


def raises(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels)[len(x) + 7]


def other_shape(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels)[..., None]


def other_dtype(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels).half()


def other_device(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels).to("meta")


def a_pair(x: Tensor, denoise: Any, levels: Any) -> Any:
    return _euler(x, denoise, levels), levels


def not_finite(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels) * float("nan")


def above(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return denoise(x, 2 * levels[0])


def below(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return denoise(x, 0.0)


def no_level(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return denoise(x, "high")


def half_a_batch(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return denoise(x[1:], levels[0])


def mixed(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return denoise(x.half(), levels[0])


def endless(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    while True:
        x = denoise(x, levels[0])


def moody(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """Costs more where x is large."""
    end = _euler(x, denoise, levels)
    return denoise(end, levels[-1]) if x.ndim < 4 else end


def cheaper(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """Many steps cost less than few."""
    return _euler(x, denoise, levels if len(levels) < 6 else (levels[0], levels[-1]))


def rolls_numpy(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    noise = np.random.standard_normal(tuple(x.shape))  # noqa: NPY002
    return _euler(x, denoise, levels) + torch.from_numpy(noise).to(x)


def rolls_random(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels) + random.random()


def rolls_indices(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels)[torch.randperm(len(x))]


def rolls_a_row(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    return _euler(x, denoise, levels) + torch.randn(x.shape[1:], dtype=x.dtype)


def rolls_torch(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """Noise at the last step, of torch's global generator."""
    return _euler(x, denoise, levels) + 0.1 * torch.randn(x.shape, dtype=x.dtype)


def own_generator(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    noise = torch.empty_like(x).normal_(generator=generator)
    return _euler(x, denoise, levels) + 0.1 * noise


def coupled(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """Steps of a size that the norm of the batch decides."""
    for now, then in itertools.pairwise(levels):
        step = (x - denoise(x, now)) / now
        x = x + (then - now) * step / (1 + 0.01 * step.norm() / step.numel() ** 0.5)
    return x


def impatient(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    assert len(levels) > 3
    return _euler(x, denoise, levels)
