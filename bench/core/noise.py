"""Reproducible noise that belongs to the sample, not to the batch.

A stream is keyed by (seed, purpose, shard), where a shard is ``SHARD`` consecutive samples. Every
draw is made for the whole shard and sliced, so sample i sees the same numbers whatever the batch
size, the number of workers or the point at which a run was cut and resumed. Draws are float32 on
the CPU, whatever the dtype and the device of the run: float32 and float64 runs, CPU and GPU runs
see the same noise.

numpy's SFC64 under SeedSequence is used because torch's CPU generator reads only 32 bits of its
seed, so that two of some thousands of streams would soon coincide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from bench.core.shard import SHARD as SHARD

Purpose = Literal[
    "prior",
    "sampler",
    "probe",
    "dequantise",
    "exact",
    "calibrate",
    "class",
    "deal",
    "task",
    "guidance",
]
# A new purpose comes last: its place is part of the key of its streams.
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True)
class NoiseStream:
    """Successive draws for the samples ``first`` .. ``first + count - 1``.

    Args:
        seed: seed of the run, >= 0.
        purpose: what the noise is for; purposes are independent of each other.
        first: index of the first sample.
        count: number of samples.
        shape: shape of one sample.
        dtype: dtype of the returned tensors.
        device: device of the returned tensors.
    """

    seed: int
    purpose: Purpose
    first: int
    count: int
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    device: torch.device = torch.device("cpu")
    _generators: tuple[np.random.Generator, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shards = range(self.first // SHARD, -(-(self.first + self.count) // SHARD))
        generators = tuple(_generator(self.seed, self.purpose, shard) for shard in shards)
        object.__setattr__(self, "_generators", generators)

    def normal(self) -> Tensor:
        """The next standard normal draw, shape ``(count, *shape)``."""
        noise = np.empty((len(self._generators) * SHARD, *self.shape), dtype=np.float32)
        for i, generator in enumerate(self._generators):
            generator.standard_normal(out=noise[i * SHARD : (i + 1) * SHARD], dtype=np.float32)
        return self._deliver(noise)

    def uniform(self) -> Tensor:
        """The next draw uniform on [0, 1), shape ``(count, *shape)``."""
        noise = np.empty((len(self._generators) * SHARD, *self.shape), dtype=np.float32)
        for i, generator in enumerate(self._generators):
            generator.random(out=noise[i * SHARD : (i + 1) * SHARD], dtype=np.float32)
        return self._deliver(noise)

    def rademacher(self) -> Tensor:
        """The next draw of signs, each -1 or +1 with probability one half."""
        return (self.uniform() < 0.5).to(self.dtype).mul_(2).sub_(1)

    def _deliver(self, noise: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Tensor:
        start = self.first % SHARD
        rows = torch.from_numpy(noise)[start : start + self.count]
        return rows.to(self.device, self.dtype)


def permutation(seed: int, purpose: Purpose, block: int, count: int) -> Tensor:
    """0 .. count - 1 in an order drawn by (seed, purpose, block), int64, (count,)."""
    # By sorting draws, as numpy may change how it shuffles.
    draws = _generator(seed, purpose, block).random(count)
    return torch.from_numpy(np.argsort(draws, kind="stable"))


def _generator(seed: int, purpose: Purpose, shard: int) -> np.random.Generator:
    key = (_PURPOSES.index(purpose), shard)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))
