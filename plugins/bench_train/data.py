"""Data sets, dequantisation, and an order of samples that follows from the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.api import NO_CLASS


@dataclass(frozen=True)
class TrainingData:
    """A data set of integers 0 .. levels - 1, or of real numbers.

    name: for records. samples: (n, *shape), uint8, or float32 where they are real. levels: number
    of values an entry can take, 0 for real numbers. licence: what its publisher says about its
    use. labels: int64 (n,) from 0, where they are known. source: the model that the samples were
    drawn from, as {"name": ..., "params": ...}.
    """

    name: str
    samples: Tensor
    levels: int
    licence: str
    labels: Tensor | None = None
    source: Mapping[str, Any] | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the sample bytes in order, hexadecimal."""
        return hashlib.sha256(self.samples.contiguous().numpy().tobytes()).hexdigest()

    @property
    def classes(self) -> int:
        """The number of classes: one more than the largest label; 0 without labels."""
        return 0 if self.labels is None else int(self.labels.max()) + 1

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation over all entries of the data, integers dequantised."""
        entries = self.samples.to(torch.float64)
        if not self.levels:
            return float(entries.mean()), float(entries.std(correction=0))
        scale = 2.0 / self.levels
        mean = (float(entries.mean()) + 0.5) * scale - 1.0
        variance = (float(entries.var(correction=0)) + 1.0 / 12.0) * scale**2
        return mean, variance**0.5


def dequantise(integers: Tensor, levels: int, uniforms: Tensor) -> Tensor:
    """x = (k + u) 2 / levels - 1 in [-1, 1): a continuous density over integer data.

    Uniform dequantisation (Theis, van den Oord & Bethge 2016, arXiv:1511.01844, section 3.1):
    the log-likelihood of the continuous model bounds that of the discrete one from below.
    integers: (n, ...); uniforms: same shape, in [0, 1), whose dtype the result takes.
    """
    return (integers.to(uniforms.dtype) + uniforms) * (2.0 / levels) - 1.0


def at_centres(integers: Tensor, levels: int, dtype: torch.dtype) -> Tensor:
    """x = 2 k / (levels - 1) - 1 in [-1, 1], without noise: score_sde's and EDM's images."""
    return integers.to(dtype) * (2.0 / (levels - 1)) - 1.0


def generator_of(*key: int) -> torch.Generator:
    """A CPU generator for a key of non-negative integers, such as (seed, purpose, step).

    torch's CPU generator ignores the high half of a 64-bit seed, so the key is hashed to 32
    bits by numpy's SeedSequence.
    """
    return torch.Generator().manual_seed(seed_of(*key))


def seed_of(*key: int) -> int:
    """32 bits from a key of non-negative integers."""
    (seed,) = np.random.SeedSequence(key).generate_state(1)
    return int(seed)


def drop_labels(labels: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """``labels``, (n,), each replaced by `NO_CLASS` with probability ``rate``.

    One network so learns D(y; s, c) and D(y; s) (Ho & Salimans 2022, arXiv:2207.12598,
    Algorithm 1).
    """
    dropped = torch.rand(len(labels), generator=generator) < rate
    return torch.where(dropped, NO_CLASS, labels)


def flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image, (n, ..., width), mirrored left to right with probability 1/2."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(mirrored.reshape(-1, *(1,) * (images.ndim - 1)), images.flip(-1), images)


@dataclass(frozen=True)
class BatchOrder:
    """The samples that a step sees: epoch after epoch, each a fresh permutation.

    A function of (seed, step) without state, so a resumed training needs no saved order.
    """

    samples: int
    batch: int
    seed: int

    def indices(self, step: int) -> Tensor:
        """(batch,) int64: the samples of step `step`, counted from 0."""
        positions = torch.arange(step * self.batch, (step + 1) * self.batch)
        epochs = positions // self.samples
        chosen = torch.empty(self.batch, dtype=torch.int64)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            order = torch.randperm(self.samples, generator=generator_of(self.seed, 1, epoch))
            chosen[here] = order[positions[here] % self.samples]
        return chosen
