"""Distances between samples against scipy's, in one dimension."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch

from bench_plugins.metrics.distribution import EnergyDistance, SlicedWasserstein


def _distance(
    metric: EnergyDistance | SlicedWasserstein, x: torch.Tensor, y: torch.Tensor
) -> float:
    return metric.distance(x, metric.prepare(y))


def _samples(n: int, shift: float, scale: float, seed: int, d: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) * scale + shift


CASES = [(500, 400, 0.0, 1.0), (1000, 1000, 2.0, 1.0), (300, 700, -0.5, 3.0)]


@pytest.mark.parametrize(("n", "m", "shift", "scale"), CASES)
def test_energy_distance_is_the_root_of_cramers(n: int, m: int, shift: float, scale: float) -> None:
    x, y = _samples(n, 0, 1, 0), _samples(m, shift, scale, 1)
    expected = scipy.stats.energy_distance(x[:, 0], y[:, 0])  # the V-statistic under a root, too
    assert _distance(EnergyDistance(), x, y) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n", "m", "shift", "scale"), CASES)
def test_sliced_wasserstein_is_wassersteins_in_one_dimension(
    n: int, m: int, shift: float, scale: float
) -> None:
    x, y = _samples(n, 0, 1, 0), _samples(m, shift, scale, 1)
    expected = scipy.stats.wasserstein_distance(x[:, 0], y[:, 0])
    # Quantile functions are linear between order statistics here, steps there.
    assert _distance(SlicedWasserstein(), x, y) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("n", "m"), [(10, 1000), (1000, 10), (7, 12)])
def test_sliced_wasserstein_of_evenly_spaced_points_is_their_shift(n: int, m: int) -> None:
    """Their quantile functions are the same line, or flat alike at both of its ends."""
    x, y = ((torch.arange(count, dtype=torch.float64)[:, None] + 0.5) / count for count in (n, m))
    assert _distance(SlicedWasserstein(), x, y + 2) == pytest.approx(2, rel=1e-9)


def test_distances_of_a_set_to_itself_are_zero() -> None:
    x = _samples(200, 0, 1, 0, d=3)
    assert _distance(SlicedWasserstein(), x, x) == 0
    assert _distance(EnergyDistance(), x, x) == pytest.approx(0, abs=1e-6)


def test_sliced_wasserstein_of_a_shift_in_the_plane() -> None:
    x = _samples(400, 0, 1, 0, d=2)
    shift = torch.tensor([3.0, 4.0], dtype=torch.float64)
    # The mean of |5 cos| over all directions is 5 * 2 / pi.
    value = _distance(SlicedWasserstein(directions=4096), x, x + shift)
    assert value == pytest.approx(10 / math.pi, rel=0.03)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 40), (40, 1), (40, 60)])
@pytest.mark.parametrize("gap", [0.0, 2.0])
def test_points_that_are_all_equal_are_at_their_closed_form(n: int, m: int, gap: float) -> None:
    x, y = torch.full((n, 3), 0.1).double(), torch.full((m, 3), 0.1 + gap).double()
    distance = gap * math.sqrt(3)
    assert _distance(EnergyDistance(), x, y) == pytest.approx(math.sqrt(2 * distance), abs=1e-3)
    # The mean of |cos| over all directions in space is 1/2.
    value = _distance(SlicedWasserstein(directions=2000), x, y)
    assert value == pytest.approx(distance / 2, rel=0.05, abs=1e-6)


def test_a_point_beside_a_set_is_at_its_closed_form() -> None:
    x, y = torch.zeros(1, 1).double(), _samples(400, 1, 2, 0)
    square = 2 * float(y.abs().mean()) - float((y - y.T).abs().mean())
    assert _distance(EnergyDistance(), x, y) == pytest.approx(math.sqrt(square), rel=1e-6)
    assert _distance(SlicedWasserstein(), x, y) == pytest.approx(float(y.abs().mean()), rel=1e-3)
