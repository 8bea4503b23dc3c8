"""The power-law average of Karras et al. 2024."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bench.train.ema import PowerLaw


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
