"""Each solver that observes against its formula, coefficient by coefficient."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bench.api import NoiseStream, Observation
from bench.testing.plugins import process_of, stepper_of


class _Units:
    """A stream whose draws are given."""

    def __init__(self, *draws: Tensor) -> None:
        self.draws = list(draws)

    def normal(self) -> Tensor:
        return self.draws.pop(0)


def _draw(seed: int) -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("under", ["vp", "ve"])
@pytest.mark.parametrize("levels", [(3.0, 1.0), (1.0, 0.3), (0.3, 0.1)])
@pytest.mark.parametrize("eta_b", [1.0, 0.6])
def test_ddrm_takes_the_step_of_each_case(
    lab: SimpleNamespace, under: str, levels: tuple[float, float], eta_b: float
) -> None:
    """Eq. 8 in loops; the observation's levels are 0.2 and 0.5, so that all cases occur."""
    gauss, operator, eta, noise = lab.correlated(), lab.dense((4,), torch.float64), 0.85, 0.2
    observation = Observation(operator, _draw(1)[:, :2], noise)
    now, then = (process_of(under).at_s(s) for s in levels)
    y, z = _draw(2) * now.s, _draw(3)
    stepper = stepper_of("ddrm", eta=eta, eta_b=eta_b)
    problem = lab.problem_of(gauss.denoise, observation, _Units(z))
    x_then, _ = stepper.step(problem, y * now.alpha, now, then, False)
    basis = torch.linalg.qr(torch.cat([operator.v, _draw(4).T], 1))[0]
    basis[:, :2] = operator.v
    d = gauss.denoise(y, torch.tensor(now.s, dtype=torch.float64))
    at, own, fresh = y @ basis, d @ basis, z @ basis
    wanted = torch.empty_like(at)
    keep = math.sqrt(1 - eta**2) * then.s
    for i in range(4):
        if i >= 2:
            mean, std = own[:, i] + keep * (at[:, i] - own[:, i]) / now.s, eta * then.s
        else:
            level = noise / float(operator.values[i])
            known = observation.value[:, i] / operator.values[i]
            if then.s < level:
                mean, std = own[:, i] + keep * (known - own[:, i]) / level, eta * then.s
            else:
                mean = (1 - eta_b) * own[:, i] + eta_b * known
                std = math.sqrt(then.s**2 - level**2 * eta_b**2)
        wanted[:, i] = mean + std * fresh[:, i]
    torch.testing.assert_close(x_then / then.alpha @ basis, wanted)


def test_ddrm_starts_around_the_observation(lab: SimpleNamespace) -> None:
    """Eq. 7: mean y / v, and the variance that is missing to s_T^2."""
    gauss, operator = lab.correlated(), lab.dense((4,), torch.float64)
    observation = Observation(operator, _draw(1)[:, :2], 0.2)
    seen: list[Tensor] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.append(y)
        return gauss.denoise(y, s)

    now, then = process_of("vp").at_s(10.0), process_of("vp").at_s(5.0)
    y = _draw(2) * now.s
    problem = lab.problem_of(denoise, observation, _Units(_draw(3)))
    stepper = stepper_of("ddrm")
    stepper.step(problem, y * now.alpha, now, then, stepper.start((now, then)))
    level = 0.2 / operator.values
    wanted = observation.value / operator.values
    wanted = wanted + (y @ operator.v) / 10.0 * (100.0 - level**2).sqrt()
    torch.testing.assert_close(seen[0] @ operator.v, wanted)


@pytest.mark.parametrize("levels", [(3.0, 1.0), (0.5, 0.4), (0.3, 0.02)])
def test_ddnm_plus_has_the_noise_of_ancestral_sampling(
    lab: SimpleNamespace, levels: tuple[float, float]
) -> None:
    """The observation's part and the drawn part make std^2 together; or the first alone does."""
    gauss, operator, noise = lab.correlated(), lab.dense((4,), torch.float64), 0.2
    now, then = (process_of("ve").at_s(s) for s in levels)
    y, zero = _draw(2) * now.s, torch.zeros(3, 4, dtype=torch.float64)

    def step(value: Tensor, z: Tensor) -> Tensor:
        problem = lab.problem_of(gauss.denoise, Observation(operator, value, noise), _Units(z))
        x, _ = stepper_of("ddnm_plus").step(problem, y, now, then, None)
        return x @ operator.v

    nothing = torch.zeros(3, 2, dtype=torch.float64)
    base = step(nothing, zero)
    # Responses to one standard deviation of the observation's noise, and of the drawn noise.
    from_data = step(nothing + noise, zero) - base
    from_draw = step(nothing, (torch.ones_like(nothing) @ operator.v.T)) - base
    std = then.s * math.sqrt(1 - (then.s / now.s) ** 2)
    total = from_data.square() + from_draw.square()
    torch.testing.assert_close(total, torch.full_like(total, std**2))
    share = 1 - (then.s / now.s) ** 2
    d = gauss.denoise(y, torch.tensor(now.s, dtype=torch.float64)) @ operator.v
    for i in range(2):
        brought = share * noise / float(operator.values[i])
        weight = min(1.0, std / brought)
        mean = (1 - share) * (y @ operator.v)[:, i] + share * (1 - weight) * d[:, i]
        torch.testing.assert_close(base[:, i], mean)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_daps_samples_the_gaussian_around_its_ode(lab: SimpleNamespace, noise: float) -> None:
    """Mean and covariance of x_then, from its response to each entry of the noise."""
    gauss, operator = lab.correlated(), lab.dense((4,), torch.float64)
    a = operator.values[:, None] * operator.v.T
    observation = Observation(operator, _draw(1)[:1, :2], noise)
    now, then = process_of("ve").at_s(1.5), process_of("ve").at_s(0.7)
    y, zero = _draw(2)[:1], torch.zeros(1, 4, dtype=torch.float64)
    stepper = stepper_of("daps", ode_steps=1)

    def step(first: Tensor, second: Tensor) -> Tensor:
        problem = lab.problem_of(gauss.denoise, observation, _Units(first, second))
        x, _ = stepper.step(problem, y, now, then, stepper.start((now, then)))
        return x[0]

    base = step(zero, zero)
    eye = torch.eye(4, dtype=torch.float64)
    response = torch.stack([step(unit[None], zero) - base for unit in eye])
    d = gauss.denoise(y, torch.tensor(1.5, dtype=torch.float64))[0]
    spread = 1.5**2 * a @ a.T + noise**2 * torch.eye(2, dtype=torch.float64)
    gain = 1.5**2 * a.T @ torch.linalg.inv(spread)
    torch.testing.assert_close(base, d + gain @ (observation.value[0] - a @ d))
    torch.testing.assert_close(response.T @ response, 1.5**2 * (eye - gain @ a))
    torch.testing.assert_close(step(zero, zero + 1) - base, torch.full_like(base, 0.7))


def test_langevin_steps_of_daps_reach_the_closed_form(lab: SimpleNamespace) -> None:
    gauss, operator = lab.correlated(), lab.dense((4,), torch.float64)
    count = 4000
    observation = Observation(operator, _draw(1)[:1, :2].expand(count, 2), 0.3)
    now, then = process_of("ve").at_s(0.5), process_of("ve").at_s(0.01)
    x = _draw(2)[:1].expand(count, 4)
    found = []
    for parameters in ({}, {"langevin_steps": 150, "step_size": 0.01, "decay": 1.0}):
        stepper = stepper_of("daps", ode_steps=3, **parameters)
        noise = NoiseStream(0, "sampler", 0, count, (4,), torch.float64)
        problem = lab.problem_of(gauss.denoise, observation, noise)
        found.append(stepper.step(problem, x, now, then, stepper.start((now, then)))[0])
    exact, chain = found
    std = exact.std(0)
    assert float(((chain.mean(0) - exact.mean(0)) / std).abs().max()) < 0.1
    # The chain's own bias at this step is size / (2 std^2) of the variance.
    assert float((chain.T.cov() - exact.T.cov()).abs().max()) < 0.15 * float(std.max()) ** 2


@pytest.mark.parametrize("zeta", [0.0, 0.3, 1.0])
def test_ddim_zeta_mixes_the_noise(lab: SimpleNamespace, zeta: float) -> None:
    gauss = lab.correlated()
    now, then = process_of("vp").at_s(1.5), process_of("vp").at_s(0.7)
    x, z = _draw(2), _draw(3)
    observation = Observation(lab.dense((4,), torch.float64), _draw(1)[:, :2], 0.1)
    problem = lab.problem_of(gauss.denoise, observation, _Units(z))
    d = gauss.denoise(x / now.alpha, torch.tensor(now.s, dtype=torch.float64))
    eps = (x - now.alpha * d) / now.sigma
    wanted = then.alpha * d + then.sigma * (math.sqrt(1 - zeta) * eps + math.sqrt(zeta) * z)
    found, _ = stepper_of("ddim_zeta", zeta=zeta).step(problem, x, now, then, None)
    torch.testing.assert_close(found, wanted)
