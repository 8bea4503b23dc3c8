"""Gaussian mixtures: the closed forms on which other laws rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from bench.api import Model, ScoreModel
from bench.registry import Kind, ParameterError, build, load_registry
from bench_plugins.models.closed_form import Mixture

CPU = torch.device("cpu")


def _load(name: str, dtype: torch.dtype = torch.float64, **parameters: Any) -> ScoreModel:
    plugin = build(load_registry().get(name, Kind.MODEL).cls, parameters)
    assert isinstance(plugin, Model)
    return plugin.load(CPU, dtype)


MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "plane": ("gaussian_mixture", {}),
    "line": ("gaussian_mixture", {"means": [[-1.0], [0.5]], "stds": [0.2, 0.6], "weights": None}),
    "five": ("random_mixture", {"dim": 5, "components": 4}),
    "wide": ("random_mixture", {"dim": 16, "spread": 2.0, "mixture_seed": 7}),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ScoreModel:
    name, parameters = MODELS[request.param]
    return _load(name, **parameters)


def _points(model: ScoreModel, count: int = 20) -> Tensor:
    assert model.target.exact is not None
    return model.target.exact.sample(count, 1)


@pytest.mark.parametrize("level", [0.002, 0.1, 1.0, 80.0])
def test_denoiser_is_tweedies_formula(model: ScoreModel, level: float) -> None:
    """D = y + s^2 grad log p(y), the gradient by autograd."""
    exact = model.target.exact
    assert exact is not None
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((20, *model.shape)))
    y = (_points(model) + level * noise).requires_grad_(True)
    (score,) = torch.autograd.grad(exact.log_prob(y, level).sum(), y)
    d = model.denoiser(y.detach(), torch.tensor(level, dtype=torch.float64))
    torch.testing.assert_close(d, y.detach() + level**2 * score, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("level", [0.05, 1.0])
def test_density_is_scipys(plane: Mixture, level: float) -> None:
    y = torch.from_numpy(np.random.default_rng(0).standard_normal((30, 2)))
    covariances = plane.vectors @ torch.diag_embed(plane.values) @ plane.vectors.mT
    parts = [
        float(w) * stats.multivariate_normal(m.numpy(), c.numpy() + level**2 * np.eye(2)).pdf(y)
        for w, m, c in zip(plane.log_weights.exp(), plane.means, covariances, strict=True)
    ]
    np.testing.assert_allclose(plane.log_prob(y, level).exp(), sum(parts), rtol=1e-9)


@pytest.mark.parametrize("level", [0.01, 0.3, 5.0])
def test_density_on_the_line_integrates_to_one(level: float) -> None:
    name, parameters = MODELS["line"]
    exact = _load(name, **parameters).target.exact
    assert exact is not None
    grid = torch.linspace(-60, 60, 400_001, dtype=torch.float64)[:, None]
    density = exact.log_prob(grid, level).exp().numpy()
    assert integrate.simpson(density, x=grid[:, 0].numpy()) == pytest.approx(1, abs=1e-9)


def test_samples_have_the_moments_of_the_mixture(plane: Mixture) -> None:
    count = 200_000
    x = plane.sample(count, seed=3)
    covariances = plane.vectors @ torch.diag_embed(plane.values) @ plane.vectors.mT
    weights = plane.log_weights.exp()
    mean = weights @ plane.means
    spread = plane.means - mean
    covariance = torch.einsum("k,kij->ij", weights, covariances) + torch.einsum(
        "k,ki,kj->ij", weights, spread, spread
    )
    bound = 5 * math.sqrt(2 * float(covariance.diagonal().max()) ** 2 / count)
    assert float((x.mean(0) - mean).abs().max()) < 5 * math.sqrt(1 / count)
    assert float((torch.cov(x.T) - covariance).abs().max()) < bound


def test_samples_on_the_line_follow_the_density(line: Mixture) -> None:
    x = line.sample(50_000, seed=3)[:, 0].numpy()
    std, means, weights = line.values[:, 0].sqrt(), line.means[:, 0], line.log_weights.exp()

    def cdf(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        z = (torch.from_numpy(points)[:, None] - means) / std
        return (weights * torch.special.ndtr(z)).sum(1).numpy()

    assert stats.kstest(x, cdf).pvalue > 1e-3


def test_samples_belong_to_their_seed(model: ScoreModel) -> None:
    exact = model.target.exact
    assert exact is not None
    assert torch.equal(exact.sample(100, 5)[:70], exact.sample(70, 5))
    assert not torch.equal(exact.sample(70, 5), exact.sample(70, 6))
    assert exact.sample(70, 5).dtype == torch.float64


def test_levels_may_differ_from_row_to_row(model: ScoreModel) -> None:
    y, levels = _points(model, 6), torch.logspace(-2, 1, 6, dtype=torch.float64)
    together = model.denoiser(y, levels)
    single = torch.cat([model.denoiser(y[i : i + 1], levels[i]) for i in range(6)])
    torch.testing.assert_close(together, single)


def test_extreme_levels(model: ScoreModel) -> None:
    """Almost no noise: D is y itself. Nothing but noise: D is the mean of the data."""
    y = _points(model)
    clean = model.denoiser(y, torch.tensor(1e-6, dtype=torch.float64))
    torch.testing.assert_close(clean, y, rtol=1e-3, atol=1e-4)
    noise = model.denoiser(0 * y, torch.tensor(1e6, dtype=torch.float64))
    torch.testing.assert_close(noise[1:], noise[:-1])
    exact = model.target.exact
    assert exact is not None
    mean = exact.sample(100_000, 2).mean(0)
    torch.testing.assert_close(noise[0], mean, rtol=0, atol=0.05)


@pytest.mark.parametrize("level", [0.002, 0.1, 1.0, 80.0])
def test_float32_agrees_with_float64(level: float) -> None:
    for name, parameters in MODELS.values():
        double, single = _load(name, **parameters), _load(name, torch.float32, **parameters)
        y = _points(double)
        d = double.denoiser(y, torch.tensor(level, dtype=torch.float64))
        d32 = single.denoiser(y.float(), torch.tensor(level))
        assert d32.dtype == torch.float32
        torch.testing.assert_close(d32.double(), d, rtol=1e-3, atol=1e-3)


def test_weights_hash_names_the_parameters() -> None:
    hashes = {_load(name, **parameters).weights for name, parameters in MODELS.values()}
    assert len(hashes) == len(MODELS)
    assert _load("random_mixture").weights == _load("random_mixture").weights
    assert _load("random_mixture").weights != _load("random_mixture", mixture_seed=1).weights


def test_weights_are_normalised(plane: Mixture) -> None:
    few = _load("gaussian_mixture", weights=[5.0, 3.0, 2.0])
    many = _load("gaussian_mixture", weights=[0.5, 0.3, 0.2])
    assert few.target.exact is not None
    assert many.target.exact is not None
    y = _points(few)
    torch.testing.assert_close(
        few.target.exact.log_prob(y, 1.0), many.target.exact.log_prob(y, 1.0)
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"means": []}, "means must be a list of points of one dimension"),
        ({"means": [[0.0], [1.0, 2.0]]}, "means must be a list of points of one dimension"),
        ({"stds": [0.1]}, "stds must be 3 positive numbers"),
        ({"stds": [0.1, 0.0, 0.1]}, "stds must be 3 positive numbers"),
        ({"weights": [1.0]}, "weights must be 3 positive numbers"),
        ({"s_min": 2.0, "s_max": 1.0}, "0 < s_min < s_max must hold"),
    ],
)
def test_impossible_mixtures_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        _load("gaussian_mixture", **parameters)
