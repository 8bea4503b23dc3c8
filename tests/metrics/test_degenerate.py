"""Distances where a covariance is singular or zero, and error bars that cannot be had."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from bench.api import (
    BenchError,
    Measurement,
    Moments,
    Uncertainty,
    frechet_distance,
    frechet_influence,
    root_factor,
)


def _normal(n: int, d: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def _constant(n: int, d: int, level: float = 0.1) -> Tensor:
    return torch.full((n, d), level, dtype=torch.float64)


def _distance(real: Tensor, samples: Tensor) -> float:
    one, other = Moments.of(real), Moments.of(samples)
    return frechet_distance(
        one.mean, one.covariance, other.mean, other.covariance, rank=min(one.rank, other.rank)
    )


def _influence(real: Tensor, samples: Tensor) -> Tensor:
    one, other = Moments.of(real), Moments.of(samples)
    return frechet_influence(samples, one.mean, other.covariance, root_factor(one.covariance))


SIZES = [(2, 8), (3, 8), (40, 8), (2, 64), (40, 64), (100, 64)]


@pytest.mark.parametrize(("n", "d"), SIZES)
@pytest.mark.parametrize("level", [0.0, 0.5, 0.1])
def test_a_constant_reference_is_at_its_closed_form(n: int, d: int, level: float) -> None:
    samples = _normal(n, d) + 1
    moments = Moments.of(samples)
    closed = (moments.mean - level).square().sum() + moments.covariance.trace()
    real = _constant(40, d, level)
    assert _distance(real, samples) == pytest.approx(float(closed), rel=1e-12)
    assert _distance(samples, real) == pytest.approx(float(closed), rel=1e-12)
    # What each sample adds to |m - c|^2 + tr C is its own squared distance to c.
    influence = _influence(real, samples)
    own = (samples - level).square().sum(1)
    torch.testing.assert_close(influence, own - own.mean(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("level", [0.0, 0.5, 0.1])
@pytest.mark.parametrize("n", [2, 40])
def test_two_constants_are_as_far_apart_as_their_levels(n: int, level: float) -> None:
    assert _distance(_constant(40, 16, level), _constant(n, 16, level)) == pytest.approx(
        0, abs=1e-30
    )
    apart = _distance(_constant(40, 16, level), _constant(n, 16, level + 2))
    assert apart == pytest.approx(16 * 4, rel=1e-12)
    influence = _influence(_constant(40, 16, level), _constant(n, 16, level + 2))
    assert influence.abs().max() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("n", "d"), SIZES)
def test_one_direction_alone_is_a_distance_of_numbers(n: int, d: int) -> None:
    axis = _normal(1, d, seed=3)[0]
    axis = axis / axis.norm()
    one, other = _normal(n, 1, 4), 3 * _normal(n, 1, 5) + 1
    gap, deviations = one.mean() - other.mean(), float(one.std()) - float(other.std())
    closed = float(gap) ** 2 + deviations**2
    assert _distance(one * axis, other * axis) == pytest.approx(closed, rel=1e-9)
    assert _influence(one * axis, other * axis).isfinite().all()


@pytest.mark.parametrize("copies", [2, 50])
@pytest.mark.parametrize(("n", "d"), SIZES)
def test_a_set_beside_itself_and_its_copies(n: int, d: int, copies: int) -> None:
    x = _normal(n, d)
    assert 0 <= _distance(x, x) < 1e-9 * d
    again = x.repeat(copies, 1)
    assert 0 <= _distance(again, again) < 1e-9 * d
    # The covariances differ by the factor (1 - 1/n) / (1 - 1/(n copies)) alone.
    factor = (1 - 1 / n) / (1 - 1 / (n * copies))
    closed = float(Moments.of(x).covariance.trace()) * (1 - math.sqrt(factor)) ** 2
    assert _distance(x, again) == pytest.approx(closed, rel=1e-6, abs=1e-9 * d)
    assert _influence(x, again).isfinite().all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_distance_is_never_below_zero_by_round_off(scale: float) -> None:
    for seed in range(20):
        x = _normal(60, 48, seed) * torch.logspace(0, -6, 48, dtype=torch.float64) * scale
        assert _distance(x, x) >= 0
        assert _distance(x, x.flip(0)) >= 0
        assert _distance(x, x) < 1e-6 * scale**2


def test_a_distance_well_below_zero_is_an_error() -> None:
    mean, one = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    indefinite = torch.tensor([[1.0, 5.0], [5.0, 1.0]], dtype=torch.float64)
    with pytest.raises(BenchError, match="a matrix given is no covariance"):
        frechet_distance(mean, one, mean, indefinite)


def test_fewer_samples_than_features_as_torch_fidelity_says() -> None:
    one, other = Moments.of(_normal(20, 32)), Moments.of(_normal(30, 32, seed=1) * 1.5)
    known = [{"mu": m.mean.numpy(), "sigma": m.covariance.numpy()} for m in (one, other)]
    expected = float(fid_statistics_to_metric(*known, False)[KEY_METRIC_FID])
    value = frechet_distance(one.mean, one.covariance, other.mean, other.covariance, rank=19)
    assert value == pytest.approx(expected, rel=1e-5)


def test_one_sample_has_no_covariance() -> None:
    with pytest.raises(BenchError, match="1 sample has no covariance"):
        _ = Moments.of(_normal(1, 4)).covariance


def test_an_error_bar_is_that_of_the_influence() -> None:
    parts = torch.tensor([-1.0, 0.0, 1.0])
    found = Uncertainty.of(5.0, lambda: parts)
    assert found.std_error == pytest.approx(1 / math.sqrt(3))
    assert found.evidence is not None
    assert found.evidence.tolist() == [4.0, 5.0, 6.0]
    assert found.note == ""


def _fails() -> Tensor:
    raise RuntimeError("linalg.eigh: failed\nto converge")


def _empty() -> Tensor:
    return torch.empty(3, 0).amax(1)


@pytest.mark.parametrize(
    ("influence", "words"),
    [
        (_fails, "RuntimeError: linalg.eigh: failed to converge"),
        (_empty, "amax()"),
        (lambda: torch.zeros(1), "one sample has none"),
        (lambda: torch.tensor([1.0, math.nan]), "not finite"),
    ],
)
def test_an_error_bar_that_cannot_be_had_is_a_note(influence: object, words: str) -> None:
    found = Uncertainty.of(5.0, influence)  # type: ignore[arg-type]
    assert found.std_error is None
    assert found.evidence is None
    assert found.note.startswith("no standard error (")
    assert words in found.note
    assert "\n" not in found.note


def test_measurements_know_no_reference_unless_told() -> None:
    number = Measurement("m", 1.0, "1", 3)
    assert (number.reference_n, number.reference_note, number.note) == (None, "", "")
