"""The power-law average of Karras et al. 2024."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bench.api import BenchError
from bench_train.ema import Average, HalfLife, PowerLaw, Rate


@pytest.mark.parametrize(("relative_std", "gamma"), [(0.05, 16.97), (0.10, 6.94)])
def test_gamma_is_that_of_the_paper(relative_std: float, gamma: float) -> None:
    assert PowerLaw(relative_std).gamma == pytest.approx(gamma, abs=0.005)


def test_first_update_forgets_the_initial_weights() -> None:
    assert PowerLaw().decay(1) == 0.0


def test_profile_of_the_average_has_the_promised_width() -> None:
    rule, steps = PowerLaw(0.1), 4000
    profile = torch.ones(1, dtype=torch.float64)
    for step in range(2, steps + 1):
        beta = rule.decay(step)
        profile = torch.cat([profile * beta, torch.tensor([1 - beta], dtype=torch.float64)])
    when = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    mean = (profile * when).sum()
    assert float(profile.sum()) == pytest.approx(1.0)
    assert float((profile * (when - mean) ** 2).sum().sqrt()) == pytest.approx(0.1, rel=0.01)


def test_averaged_model_follows_the_formula() -> None:
    rule = PowerLaw(0.2)
    model = nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, multi_avg_fn=rule)
    expected = 0.0
    for step in range(1, 6):
        model.weight.data.fill_(float(step**2))
        average.update_parameters(model)
        expected += (1 - rule.decay(step)) * (step**2 - expected)
    (weight,) = average.module.parameters()
    assert float(weight.detach()) == pytest.approx(expected, rel=1e-6)


def test_a_weight_counts_half_after_its_half_life() -> None:
    rule = HalfLife(images=6400, batch=64)
    late = 10_000  # far past the ramp: 5 % of 640,000 images
    kept = 1.0
    for step in range(late, late + 100):
        kept *= rule.decay(step)
    assert kept == pytest.approx(0.5)


def test_the_half_life_ramps_up_with_the_images_seen() -> None:
    rule = HalfLife(images=10**9, batch=64)
    assert rule.decay(1) == 0.0
    # After 1,000 steps a twentieth of 64,000 images: 50 steps.
    assert rule.decay(1001) ** 50 == pytest.approx(0.5)


def test_rate_warms_up_as_score_sdes() -> None:
    rule = Rate(0.999)
    assert rule.decay(1) == pytest.approx(2 / 11)
    assert rule.decay(90) == pytest.approx(0.91)
    assert rule.decay(10**6) == 0.999


def test_labels_differ() -> None:
    rules: list[Average] = [PowerLaw(0.05), PowerLaw(0.1), HalfLife(500_000, 64), Rate(0.9999)]
    labels = [rule.label for rule in rules]
    assert labels == ["power-0.05", "power-0.1", "halflife-500000", "rate-0.9999"]


@pytest.mark.parametrize(
    "make", [lambda: PowerLaw(0.3), lambda: HalfLife(0, 64), lambda: Rate(1.0)]
)
def test_senseless_averages_are_refused(make: Callable[[], Average]) -> None:
    with pytest.raises(BenchError, match="--ema"):
        make()
