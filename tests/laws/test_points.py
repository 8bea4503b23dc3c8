"""Sets in the plane against brute-force integrals, scikit-learn and their own samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import integrate, stats
from sklearn import datasets
from torch import Tensor

from bench.api import ScoreModel
from bench.registry import ParameterError
from bench.testing import model_of

CPU = torch.device("cpu")
Array = npt.NDArray[np.float64]
Curve = Callable[[Array], Array]
Density = Callable[[Array], Array]

NAMES = (
    "two_moons",
    "swiss_roll",
    "two_spirals",
    "pinwheel",
    "eight_gaussians",
    "rings",
    "checkerboard",
)


def _load(name: str, dtype: torch.dtype = torch.float64, **parameters: Any) -> ScoreModel:
    return model_of(name, **parameters).load(CPU, dtype)


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> ScoreModel:
    return _load(request.param)


def _sample(model: ScoreModel, count: int, seed: int) -> Tensor:
    assert model.target.exact is not None
    return model.target.exact.sample(count, seed)


def _noisy(model: ScoreModel, count: int, s: float) -> Tensor:
    noise = torch.from_numpy(np.random.default_rng(1).standard_normal((count, 2)))
    return _sample(model, count, 1) + s * noise


def _polar(r: Array, angle: Array) -> Array:
    return np.stack([r * np.cos(angle), r * np.sin(angle)])


def _flat(t: Array) -> Array:
    return np.ones_like(t) / (t[-1] - t[0])


def _pieces(name: str) -> Iterator[tuple[Curve, Density, float, float]]:
    """Curves, densities of their parameter and its range, written anew."""
    pi = math.pi
    if name == "two_moons":
        yield lambda t: np.stack([np.cos(t) - 0.5, np.sin(t) - 0.25]), _flat, 0, pi
        yield lambda t: np.stack([0.5 - np.cos(t), 0.25 - np.sin(t)]), _flat, 0, pi
    elif name == "swiss_roll":
        yield lambda t: _polar(2 * t / (4.5 * pi), t), _flat, 1.5 * pi, 4.5 * pi
    elif name == "two_spirals":
        for turn in (0, pi):
            yield (
                lambda t, turn=turn: _polar(2 * t / (3 * pi), t + turn),
                lambda t: 2 * t / (3 * pi) ** 2,
                0,
                3 * pi,
            )
    elif name == "pinwheel":
        radius = stats.truncnorm(-2.5, 2.5, loc=1, scale=0.3)
        for k in range(5):
            yield (
                lambda r, k=k: _polar(r, 2 * pi * k / 5 + 0.25 * np.exp(r)),
                radius.pdf,
                0.25,
                1.75,
            )
    elif name == "rings":
        for r in (0.5, 1.0, 1.5, 2.0):
            yield lambda t, r=r: _polar(r * np.ones_like(t), t), _flat, 0, 2 * pi


NOISE = {
    "two_moons": 0.07,
    "swiss_roll": 0.08,
    "two_spirals": 0.07,
    "pinwheel": 0.07,
    "rings": 0.07,
}


def _brute(name: str, y: Array, s: float) -> tuple[float, Array]:
    """The density of x_0 + s eps at one point and the posterior mean, by Simpson's rule."""
    pieces = list(_pieces(name))
    tau2 = NOISE[name] ** 2
    total = tau2 + s * s
    sums = np.zeros(3)
    for at, density, low, high in pieces:
        t = np.linspace(low, high, 60_001)
        x = at(t)
        square = ((y[:, None] - x) ** 2).sum(0)
        weight = density(t) * np.exp(-square / (2 * total)) / (2 * math.pi * total)
        sums += integrate.simpson(np.stack([weight, *(weight * x)]), x=t) / len(pieces)
    centre = sums[1:] / sums[0]
    return float(sums[0]), (s * s * centre + tau2 * y) / total


@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize("level", [0.002, 0.3, 2.0, 80.0])
def test_curves_are_as_brute_force_has_them(name: str, level: float) -> None:
    model = _load(name)
    y = _noisy(model, 6, level)
    exact = model.target.exact
    assert exact is not None
    found, d = exact.log_prob(y, level), model.denoiser(y, torch.tensor(level, dtype=torch.float64))
    for i in range(len(y)):
        density, mean = _brute(name, y[i].numpy(), level)
        assert float(found[i]) == pytest.approx(math.log(density), abs=1e-9)
        np.testing.assert_allclose(d[i].numpy(), mean, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("level", [0.002, 0.05, 0.5, 3.0, 80.0])
def test_checkerboard_is_as_brute_force_has_it(level: float) -> None:
    """Squares of side 1; each density is a product of integrals of the normal over its sides."""
    model = _load("checkerboard")
    exact = model.target.exact
    assert exact is not None
    y = _noisy(model, 12, level)
    y[0] = torch.tensor([0.5, -min(3 * level, 0.5)])  # beside a dark square
    found, d = exact.log_prob(y, level), model.denoiser(y, torch.tensor(level, dtype=torch.float64))
    for i, (a, b) in enumerate(y.tolist()):
        # The integrals of the kernel, and of x times the kernel, over each unit interval.
        first, second = ([_interval(v, level, k - 2) for k in range(4)] for v in (a, b))
        sums = np.zeros(3)
        for k in range(4):
            for m in range(k % 2, 4, 2):
                (p, px), (q, qx) = first[k], second[m]
                sums += np.array([p * q, px * q, p * qx]) / 8
        assert float(found[i]) == pytest.approx(math.log(sums[0]), abs=1e-8)
        np.testing.assert_allclose(d[i].numpy(), sums[1:] / sums[0], rtol=1e-8, atol=1e-8)


def _interval(y: float, s: float, low: float) -> tuple[float, float]:
    ends = max(low, y - 12 * s), min(low + 1, y + 12 * s)
    if ends[0] >= ends[1]:
        return 0.0, 0.0
    x = np.linspace(*ends, 20_001)
    kernel = np.exp(-((x - y) ** 2) / (2 * s * s)) / (s * math.sqrt(2 * math.pi))
    return float(integrate.simpson(kernel, x=x)), float(integrate.simpson(x * kernel, x=x))


@pytest.mark.parametrize("level", [0.002, 0.1, 1.0, 80.0])
def test_denoiser_is_tweedies_formula(model: ScoreModel, level: float) -> None:
    exact = model.target.exact
    assert exact is not None
    y = _noisy(model, 20, level).requires_grad_(True)
    (score,) = torch.autograd.grad(exact.log_prob(y, level).sum(), y)
    d = model.denoiser(y.detach(), torch.tensor(level, dtype=torch.float64))
    torch.testing.assert_close(d, y.detach() + level**2 * score, rtol=1e-7, atol=1e-7)


def test_samples_follow_the_density(model: ScoreModel) -> None:
    """Counts in cells against the integral of the noised density over them: Pearson's test."""
    exact, s, count, side, fine = model.target.exact, 0.15, 40_000, 0.25, 8
    assert exact is not None
    x = _noisy(model, count, s)
    edges = np.arange(-2.75, 2.75 + side / 2, side)
    middles = torch.arange(-2.75 + side / fine / 2, 2.75, side / fine, dtype=torch.float64)
    density = exact.log_prob(torch.cartesian_prod(middles, middles), s).exp()
    cells = len(edges) - 1
    share = density.reshape(cells, fine, cells, fine).sum((1, 3)) * (side / fine) ** 2
    seen, *_ = np.histogram2d(x[:, 0].numpy(), x[:, 1].numpy(), bins=[edges, edges])
    expected = share.numpy() * count
    full = expected > 5
    rest = count - expected[full].sum()
    observed = np.append(seen[full], count - seen[full].sum())
    wanted = np.append(expected[full], rest)
    kept = wanted > 5
    statistic = float((((observed - wanted) ** 2) / np.maximum(wanted, 1e-9))[kept].sum())
    assert stats.chi2.sf(statistic, int(kept.sum()) - 1) > 1e-4


def test_density_integrates_to_one(model: ScoreModel) -> None:
    exact = model.target.exact
    assert exact is not None
    for s, reach in ((0.3, 6.0), (4.0, 40.0)):
        axis = torch.linspace(-reach, reach, 161, dtype=torch.float64)
        density = exact.log_prob(torch.cartesian_prod(axis, axis), s).exp().reshape(161, 161)
        mass = float(torch.trapezoid(torch.trapezoid(density, axis), axis))
        assert mass == pytest.approx(1, abs=1e-9)


def test_moons_and_roll_are_scikit_learns() -> None:
    """Its points without noise lie where ours without noise are, with the same moments."""
    moons, _ = datasets.make_moons(4000, noise=None)
    roll, _ = datasets.make_swiss_roll(20_000, noise=0.0, random_state=0)
    for name, theirs in (
        ("two_moons", moons - np.array([0.5, 0.25])),
        ("swiss_roll", roll[:, [0, 2]] / (2.25 * math.pi)),
    ):
        model = _load(name, noise=0.02)
        ours = _sample(model, 20_000, 2).numpy()
        exact = model.target.exact
        assert exact is not None
        # On the ridge: a curve with noise tau has the density q / (tau (2 pi)^(1/2)) there.
        density = exact.log_prob(torch.from_numpy(np.ascontiguousarray(theirs[:500])), 0.0)
        assert float(density.exp().min()) > 0.3 / (0.02 * math.sqrt(2 * math.pi) * 25)
        np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.03)
        np.testing.assert_allclose(np.cov(ours.T), np.cov(theirs.T), atol=0.03)


def test_samples_belong_to_their_seed(model: ScoreModel) -> None:
    assert torch.equal(_sample(model, 200, 5)[:70], _sample(model, 70, 5))
    assert not torch.equal(_sample(model, 70, 5), _sample(model, 70, 6))
    assert _sample(model, 70, 5).dtype == torch.float64


def test_samples_are_real_valued(model: ScoreModel) -> None:
    """Points of a continuous set: no two are equal."""
    assert len(_sample(model, 3000, 0).unique(dim=0)) == 3000


def test_levels_may_differ_from_row_to_row(model: ScoreModel) -> None:
    y, levels = _sample(model, 6, 1), torch.logspace(-2, 1, 6, dtype=torch.float64)
    together = model.denoiser(y, levels)
    single = torch.cat([model.denoiser(y[i : i + 1], levels[i]) for i in range(6)])
    torch.testing.assert_close(together, single)


def test_extreme_levels(model: ScoreModel) -> None:
    """Almost no noise: D is y itself. Nothing but noise: D is the mean of the data."""
    y = _sample(model, 20, 1)
    clean = model.denoiser(y, torch.tensor(1e-6, dtype=torch.float64))
    torch.testing.assert_close(clean, y, rtol=1e-4, atol=1e-5)
    noise = model.denoiser(0 * y, torch.tensor(1e5, dtype=torch.float64))
    torch.testing.assert_close(noise[0], _sample(model, 100_000, 2).mean(0), rtol=0, atol=0.02)


@pytest.mark.parametrize("level", [0.002, 0.1, 1.0, 80.0])
@pytest.mark.parametrize("name", NAMES)
def test_float32_agrees_with_float64(name: str, level: float) -> None:
    double, single = _load(name), _load(name, torch.float32)
    y = _noisy(double, 50, level)
    d = double.denoiser(y, torch.tensor(level, dtype=torch.float64))
    d32 = single.denoiser(y.float(), torch.tensor(level))
    assert d32.dtype == torch.float32
    torch.testing.assert_close(d32.double(), d, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["checkerboard", "rings", "two_moons"])
def test_far_from_the_set_all_is_finite(name: str) -> None:
    """As a diverging solver asks: the nearest point of the set is the answer."""
    model = _load(name)
    y = torch.tensor([[300.0, -0.4], [-40.0, 60.0], [0.0, 0.0]], dtype=torch.float64)
    y.requires_grad_(True)
    d = model.denoiser(y, torch.tensor(0.01, dtype=torch.float64))
    assert d.isfinite().all()
    (gradient,) = torch.autograd.grad(d.sum(), y)
    assert gradient.isfinite().all()
    if name == "checkerboard":
        torch.testing.assert_close(
            d[0].detach(), torch.tensor([2.0, -0.4]).double(), atol=0.02, rtol=0
        )


def test_far_away_the_checkerboard_denoises_to_its_nearest_corner() -> None:
    model = _load("checkerboard")
    y = torch.tensor([[1e5, 1e5], [-1e5, -1e4], [1e4, 1.5]], dtype=torch.float64)
    corners = torch.tensor([[2.0, 2.0], [-2.0, -2.0], [2.0, 1.5]], dtype=torch.float64)
    for s in (0.002, 0.01):
        found = model.denoiser(y, torch.tensor(s, dtype=torch.float64))
        torch.testing.assert_close(found, corners, atol=1e-6, rtol=0)


def test_without_noise_the_checkerboard_is_its_squares() -> None:
    exact = _load("checkerboard").target.exact
    assert exact is not None
    y = torch.tensor([[-1.5, -1.5], [0.5, 0.5], [-1.5, -0.5], [2.5, 2.5]], dtype=torch.float64)
    density = exact.log_prob(y, 0.0).exp()
    torch.testing.assert_close(density, torch.tensor([1 / 8, 1 / 8, 0, 0], dtype=torch.float64))


def test_weights_hash_names_the_set_and_its_parameters() -> None:
    assert len({_load(name).weights for name in NAMES}) == len(NAMES)
    assert _load("rings").weights == _load("rings").weights
    assert _load("rings").weights != _load("rings", noise=0.1).weights


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("two_moons", {"noise": 0.001}, "noise must lie between 0.02 and 1"),
        ("rings", {"radii": [1.0, 1.0]}, "radii must be 1 to 16 different numbers"),
        ("rings", {"radii": [-1.0]}, "radii must be 1 to 16 different numbers"),
        ("checkerboard", {"squares": 3}, "squares must be an even number from 2 to 16"),
        ("pinwheel", {"arms": 1}, "arms must lie in 2..12"),
        ("pinwheel", {"rate": 2.0}, "rate must lie between 0 and 1"),
        ("swiss_roll", {"s_min": 2.0, "s_max": 1.0}, "0 < s_min < s_max must hold"),
    ],
)
def test_impossible_sets_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        _load(name, **parameters)
