"""Dequantisation, moments and the order of samples."""

from __future__ import annotations

import pytest
import torch

from bench_train.data import BatchOrder, TrainingData, at_centres, dequantise, generator_of


@pytest.mark.parametrize("levels", [17, 256])
def test_dequantised_levels_tile_the_interval(levels: int) -> None:
    integers = torch.arange(levels)
    low = dequantise(integers, levels, torch.zeros(levels, dtype=torch.float64))
    high = dequantise(integers, levels, torch.full((levels,), 1 - 2.0**-53, dtype=torch.float64))
    assert low[0] == -1.0
    torch.testing.assert_close(low[1:], high[:-1])
    assert high[-1] == pytest.approx(1.0)


def test_centres_span_the_interval() -> None:
    x = at_centres(torch.arange(256, dtype=torch.uint8), 256, torch.float64)
    torch.testing.assert_close(x, torch.arange(256, dtype=torch.float64) / 127.5 - 1)


def test_quantisation_undoes_it() -> None:
    integers = torch.arange(256).repeat(20)
    uniforms = torch.rand(integers.shape, generator=generator_of(0), dtype=torch.float64)
    x = dequantise(integers, 256, uniforms)
    assert torch.equal(((x + 1) * 128).floor().long(), integers)


def test_moments_are_those_of_the_dequantised_data(data: TrainingData) -> None:
    uniforms = torch.rand(2000, *data.samples.shape, generator=generator_of(1))
    x = dequantise(data.samples, data.levels, uniforms)
    assert data.moments() == pytest.approx((float(x.mean()), float(x.std())), abs=2e-3)


def test_digest_depends_on_the_samples(data: TrainingData) -> None:
    other = TrainingData("other", data.samples.flip(0), 8, "")
    assert data.digest != other.digest
    assert TrainingData("again", data.samples.clone(), 8, "").digest == data.digest


def test_every_epoch_shows_every_sample_once() -> None:
    order = BatchOrder(samples=10, batch=4, seed=3)
    shown = torch.cat([order.indices(step) for step in range(5)])
    first, second = shown[:10], shown[10:]
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(10))
    assert first.tolist() != second.tolist()


def test_order_is_a_function_of_seed_and_step() -> None:
    assert torch.equal(BatchOrder(10, 4, 3).indices(7), BatchOrder(10, 4, 3).indices(7))
    assert not torch.equal(BatchOrder(100, 50, 3).indices(7), BatchOrder(100, 50, 4).indices(7))


def test_a_batch_may_be_larger_than_the_data() -> None:
    assert len(BatchOrder(samples=3, batch=8, seed=0).indices(0)) == 8


def test_generators_of_different_keys_differ() -> None:
    draws = {float(torch.rand(1, generator=generator_of(*key))) for key in [(0, 1), (1, 0), (0,)]}
    assert len(draws) == 3
