"""Each guidance against its formula with dense matrices, finite differences, or the posterior."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bench.api import Observation
from bench.testing.plugins import model_of, process_of

LEVELS = (0.01, 0.3, 1.0, 20.0)


def _observation(lab: SimpleNamespace, noise: float, n: int = 3) -> tuple[Observation, Tensor]:
    """An observation of ``n`` samples, and A as a matrix (2, 4)."""
    operator = lab.dense((4,), torch.float64)
    generator = torch.Generator().manual_seed(7)
    value = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return Observation(operator, value, noise), operator.values[:, None] * operator.v.T


def _state(n: int = 3) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("s", LEVELS)
def test_pigdm_is_exact_for_an_isotropic_gaussian(
    lab: SimpleNamespace, noise: float, s: float
) -> None:
    std, mean = 0.7, (0.5, -1.0, 0.2, 1.5)
    model = model_of("gaussian_mixture", means=(mean,), stds=(std,), weights=(1.0,))
    loaded = model.load(torch.device("cpu"), torch.float64)
    observation, _ = _observation(lab, noise)
    exact = loaded.target.exact.posterior(observation)
    y, level = _state() * math.hypot(s, 1), torch.tensor(s, dtype=torch.float64)
    given = lab.given_of(loaded.denoiser, observation)
    rule = lab.guidance_of("pigdm", data_std=std)
    torch.testing.assert_close(rule.guide(given, y, level, None).d, exact.denoise(y, level))
    other = lab.guidance_of("pigdm", data_std=2 * std).guide(given, y, level, None).d
    if s >= 0.3:
        assert float((other - exact.denoise(y, level)).abs().max()) > 1e-3


def test_ddnm_agrees_with_the_observation_and_changes_no_more(lab: SimpleNamespace) -> None:
    gauss, (observation, a) = lab.correlated(), _observation(lab, 0.0)
    y, s = _state(), torch.tensor(0.5, dtype=torch.float64)
    d = gauss.denoise(y, s)
    guided = lab.guidance_of("ddnm").guide(lab.given_of(gauss.denoise, observation), y, s, None).d
    torch.testing.assert_close(guided @ a.T, observation.value)
    hidden = torch.eye(4, dtype=torch.float64) - torch.linalg.pinv(a) @ a
    torch.testing.assert_close(guided @ hidden, d @ hidden)


@pytest.mark.parametrize("noise", [0.05, 0.4])
@pytest.mark.parametrize("s", LEVELS)
def test_diffpir_solves_the_proximal_equations(
    lab: SimpleNamespace, noise: float, s: float
) -> None:
    gauss, (observation, a), lam = lab.correlated(), _observation(lab, noise), 3.0
    y, level = _state(), torch.tensor(s, dtype=torch.float64)
    rho = lam * noise**2 / s**2
    eye = torch.eye(4, dtype=torch.float64)
    right = observation.value @ a + rho * gauss.denoise(y, level)
    wanted = torch.linalg.solve(a.T @ a + rho * eye, right.T).T
    given = lab.given_of(gauss.denoise, observation)
    guided = lab.guidance_of("diffpir", lam=lam).guide(given, y, level, None).d
    torch.testing.assert_close(guided, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("under", ["vp", "ve", "edm"])
@pytest.mark.parametrize("fresh", [True, False])
def test_replacement_draws_what_is_observed(lab: SimpleNamespace, under: str, fresh: bool) -> None:
    # Of singular values 1 and 0.4 the second is noisier (0.5) than x_t at s = 0.3, the first (0.2)
    # is not.
    (observation, _a), gauss = _observation(lab, 0.2), lab.correlated()
    now = process_of(under).at_s(0.3)
    rule, x = lab.guidance_of("replacement", fresh=fresh), _state()
    given, twin = (lab.given_of(gauss.denoise, observation) for _ in range(2))
    settled = rule.settle(given, x, now, rule.start(given))
    z, basis = twin.noise.normal(), observation.linear.v
    coefficient = observation.value[:, 0] + math.sqrt(0.3**2 - 0.2**2) * (z @ basis)[:, 0]
    torch.testing.assert_close((settled @ basis)[:, 0], now.alpha * coefficient)
    first = basis[:, :1] @ basis[:, :1].T
    torch.testing.assert_close(settled - settled @ first, x - x @ first)


def test_replacement_keeps_its_noise_or_draws_it_anew(lab: SimpleNamespace) -> None:
    (observation, _), gauss = _observation(lab, 0.0), lab.correlated()
    now = process_of("ve").at_s(2.0)
    for fresh in (True, False):
        rule, given = lab.guidance_of("replacement", fresh=fresh), None
        given = lab.given_of(gauss.denoise, observation)
        memory = rule.start(given)
        once, again = (rule.settle(given, _state(), now, memory) for _ in range(2))
        assert torch.equal(once, again) is not fresh


@pytest.mark.parametrize("linear", [True, False])
def test_dps_descends_the_misfit(lab: SimpleNamespace, linear: bool) -> None:
    """x minus zeta / ||r|| times the gradient of ||r||^2, by finite differences in x_now of VP."""
    gauss, (observation, _), zeta = lab.correlated(), _observation(lab, 0.1), 0.3
    if not linear:
        observation = Observation(lab.Squares(), _state().square(), 0.1)
    process = process_of("vp")
    now, then = process.at_s(0.8), process.at_s(0.5)
    x, x_then = _state(), _state() + 1

    def misfit(state: Tensor) -> Tensor:
        d = gauss.denoise(state / now.alpha, torch.tensor(now.s, dtype=torch.float64))
        return (observation.value - observation.operator(d)).square().sum(1)

    gradient = torch.zeros_like(x)
    for i, unit in enumerate(1e-6 * torch.eye(4, dtype=torch.float64)):
        gradient[:, i] = (misfit(x + unit) - misfit(x - unit)) / 2e-6
    wanted = x_then - zeta / misfit(x).sqrt()[:, None] * gradient
    rule, given = lab.guidance_of("dps", zeta=zeta), lab.given_of(gauss.denoise, observation)
    memory = rule.start(given)
    assert rule.settle(given, x, now, memory) is x  # nothing was evaluated yet
    rule.guide(given, x / now.alpha, torch.tensor(now.s, dtype=torch.float64), memory)
    torch.testing.assert_close(
        rule.settle(given, x_then, then, memory), wanted, rtol=1e-6, atol=1e-6
    )
    assert rule.settle(given, x_then, then, memory) is x_then  # it is used once


def test_mcg_is_dps_with_the_observed_part_replaced(lab: SimpleNamespace) -> None:
    gauss, (observation, _a) = lab.correlated(), _observation(lab, 0.0)
    now, then = process_of("vp").at_s(0.8), process_of("vp").at_s(0.5)
    x, level = _state(), torch.tensor(0.8, dtype=torch.float64)
    ends = {}
    for name in ("dps", "mcg"):
        rule, given = lab.guidance_of(name), lab.given_of(gauss.denoise, observation)
        memory = rule.start(given)
        rule.guide(given, x / now.alpha, level, memory)
        ends[name] = rule.settle(given, x, then, memory)
    z = lab.given_of(gauss.denoise, observation).noise.normal()
    basis = observation.linear.v
    known = observation.value / observation.linear.values
    wanted = then.alpha * known + then.sigma * z @ basis
    torch.testing.assert_close(ends["mcg"] @ basis, wanted)
    hidden = torch.eye(4, dtype=torch.float64) - basis @ basis.T
    torch.testing.assert_close(ends["mcg"] @ hidden, ends["dps"] @ hidden)
