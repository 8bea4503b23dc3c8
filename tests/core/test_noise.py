"""Noise belongs to the sample: streams do not know of batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import get_args

import pytest
import torch
from scipy import stats
from torch import Tensor

from bench.api import NoiseStream
from bench.core.noise import SHARD, Purpose

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
KINDS: dict[str, Callable[[NoiseStream], Tensor]] = {
    "normal": NoiseStream.normal,
    "uniform": NoiseStream.uniform,
    "rademacher": NoiseStream.rademacher,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 7, 64, 100, 256])
@pytest.mark.parametrize("shape", [(2,), (1, 3, 5), ()])
def test_any_split_into_batches_sees_the_same_noise(
    kind: str, batch: int, shape: tuple[int, ...]
) -> None:
    draw, total = KINDS[kind], 300
    whole = NoiseStream(5, "sampler", 0, total, shape)
    streams = [
        NoiseStream(5, "sampler", first, min(batch, total - first), shape)
        for first in range(0, total, batch)
    ]
    for _ in range(3):
        assert torch.equal(draw(whole), torch.cat([draw(stream) for stream in streams]))


def test_a_stream_may_begin_anywhere() -> None:
    whole = NoiseStream(5, "prior", 0, 500, (3,)).normal()
    for first, count in ((0, 1), (63, 2), (64, 64), (130, 300), (499, 1)):
        part = NoiseStream(5, "prior", first, count, (3,)).normal()
        assert torch.equal(part, whole[first : first + count])


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_hold_the_same_numbers(kind: str) -> None:
    single = KINDS[kind](NoiseStream(5, "prior", 10, 80, (3,), torch.float32))
    double = KINDS[kind](NoiseStream(5, "prior", 10, 80, (3,), torch.float64))
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    assert torch.equal(single.double(), double)


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        ("prior", "7a42066008c40090"),
        ("sampler", "991a4e33c2e7fe64"),
        ("calibrate", "ba49e4210bbd779f"),
    ],
)
def test_the_first_draws_never_change(purpose: Purpose, expected: str) -> None:
    """Recorded results could not be repeated if numpy changed its streams."""
    draw = NoiseStream(0, purpose, 0, SHARD, (16,)).normal()
    assert hashlib.sha256(draw.numpy().tobytes()).hexdigest()[:16] == expected


def test_moments_and_distribution_of_the_normals() -> None:
    x = torch.cat([NoiseStream(s, "sampler", 0, 256, (64,)).normal() for s in range(4)]).numpy()
    count = x.size
    assert abs(x.mean()) < 4 / count**0.5
    assert abs(x.var() - 1) < 4 * (2 / count) ** 0.5
    assert abs((x**3).mean()) < 4 * (15 / count) ** 0.5
    assert abs((x**4).mean() - 3) < 4 * (96 / count) ** 0.5
    assert stats.kstest(x.ravel(), "norm").pvalue > 1e-3


def test_uniforms_lie_in_the_half_open_interval() -> None:
    x = NoiseStream(1, "dequantise", 0, 1024, (256,)).uniform()
    assert float(x.min()) >= 0.0
    assert float(x.max()) < 1.0
    assert stats.kstest(x.numpy().ravel(), "uniform").pvalue > 1e-3


def test_rademacher_signs_are_fair() -> None:
    x = NoiseStream(1, "probe", 0, 1024, (64,)).rademacher()
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(x.mean())) < 4 / x.numel() ** 0.5


def _correlation(a: Tensor, b: Tensor) -> float:
    """Correlation in units of its standard error."""
    stacked = torch.stack([a.flatten(), b.flatten()]).double()
    return float(torch.corrcoef(stacked)[0, 1]) * math.sqrt(a.numel())


def test_streams_are_independent_of_each_other() -> None:
    """Seeds, purposes, shards and successive draws: no pair correlates."""

    def first(seed: int, purpose: Purpose, shard: int = 0) -> Tensor:
        return NoiseStream(seed, purpose, shard * SHARD, SHARD, (128,)).normal()

    draws = [first(seed, "sampler") for seed in (0, 1, 2, 2**32, 2**32 + 1, 2**63)]
    draws += [first(0, purpose) for purpose in PURPOSES if purpose != "sampler"]
    draws += [first(0, "sampler", shard) for shard in (1, 2, 1000)]
    stream = NoiseStream(0, "sampler", 0, SHARD, (128,))
    stream.normal()
    draws += [stream.normal() for _ in range(3)]
    pairs = [(a, b) for i, a in enumerate(draws) for b in draws[:i]]
    assert len(pairs) > 90
    assert max(abs(_correlation(a, b)) for a, b in pairs) < 4.5


def test_samples_of_one_shard_are_independent() -> None:
    x = NoiseStream(3, "sampler", 0, SHARD, (4096,)).normal().double()
    correlations = torch.corrcoef(x) - torch.eye(SHARD)
    assert float(correlations.abs().max()) * 4096**0.5 < 5


def test_seeds_and_purposes_give_different_noise() -> None:
    seen = {
        NoiseStream(seed, purpose, 0, 1, (4,)).normal().numpy().tobytes()
        for seed in (0, 1, 2**40)
        for purpose in PURPOSES
    }
    assert len(seen) == 3 * len(PURPOSES)
