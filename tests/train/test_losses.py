"""Score matching on Gaussian data, where everything is known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess
from bench_plugins.edm.process import EDM
from bench_plugins.score_sde.processes import VE, VP, SubVP
from bench_train.losses import ScoreMatching
from bench_train.times import TimeSampling, UniformTime
from bench_train.weightings import Edm, Likelihood, SigmaSquared, Unweighted, Weighting

PROCESSES = [VE(), VP(), SubVP(), EDM()]
WEIGHTINGS = [SigmaSquared(), Likelihood(), Unweighted(), Edm(0.7)]
MEAN, VARIANCE = -0.3, 0.49


def _fixed_time(process: NoiseProcess) -> Tensor:
    return torch.tensor(process.t_min + 0.3 * (process.t_max - process.t_min), dtype=torch.float64)


def _exact_moments() -> tuple[Tensor, Tensor]:
    """Data and noise whose first and second moments are exactly those of N(m, v) and N(0, 1).

    The loss of an affine denoiser depends on these moments only, so four points give its
    expectation without Monte-Carlo error.
    """
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    return MEAN + VARIANCE**0.5 * signs[:, :1], signs[:, 1:]


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
@pytest.mark.parametrize("weighting", WEIGHTINGS, ids=lambda w: type(w).__name__)
def test_exact_denoiser_is_stationary_and_attains_the_known_minimum(
    process: NoiseProcess, weighting: Weighting
) -> None:
    t = _fixed_time(process)
    s = process.sigma(t) / process.alpha(t)
    slope = (VARIANCE / (VARIANCE + s**2)).requires_grad_(True)
    shift = (MEAN * (1 - slope)).detach().requires_grad_(True)
    objective = ScoreMatching(process, UniformTime(), weighting)
    x_0, eps = _exact_moments()

    def denoise(y: Tensor, _: Tensor) -> Tensor:
        return slope * y + shift

    loss = objective.loss(denoise, x_0, eps, torch.full((4,), 0.3, dtype=torch.float64))
    weight = weighting.on_denoiser(process, t)
    minimum = weight * VARIANCE * s**2 / (VARIANCE + s**2)  # the posterior variance of x_0
    torch.testing.assert_close(loss, minimum)
    # Relative to the size of the two terms that cancel.
    gradients = torch.autograd.grad(loss, (slope, shift))
    for gradient, scale in zip(gradients, (1 + s**2, 1 + s), strict=True):
        assert abs(float(gradient / (weight * scale))) < 1e-12


def test_training_a_linear_denoiser_finds_the_exact_one() -> None:
    process = EDM()
    objective = ScoreMatching(process, UniformTime(), SigmaSquared())
    log_s = torch.tensor(0.5, dtype=torch.float64)
    s = float(log_s.exp())
    uniforms = torch.full((4,), (s - process.t_min) / (process.t_max - process.t_min)).double()
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], line_search_fn="strong_wolfe", max_iter=50)

    def closure() -> Tensor:
        optimizer.zero_grad()
        x_0, eps = _exact_moments()
        loss = objective.loss(lambda y, _: weights[0] * y + weights[1], x_0, eps, uniforms)
        loss.backward()
        return loss

    optimizer.step(closure)
    slope = VARIANCE / (VARIANCE + s**2)
    assert weights.tolist() == pytest.approx([slope, MEAN * (1 - slope)], abs=1e-5)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_weightings_differ_by_the_published_factors(process: NoiseProcess) -> None:
    span = process.t_max - process.t_min
    t = process.t_min + span * torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
    alpha, sigma = process.alpha(t), process.sigma(t)
    on_denoiser = {type(w): w.on_denoiser(process, t) for w in WEIGHTINGS}
    plain = on_denoiser[Unweighted]
    torch.testing.assert_close(plain, alpha**2 / sigma**4)
    torch.testing.assert_close(on_denoiser[SigmaSquared], (alpha / sigma) ** 2)
    torch.testing.assert_close(on_denoiser[Likelihood] / plain, process.g2(t))
    edm = on_denoiser[Edm]
    torch.testing.assert_close(edm, (alpha / sigma) ** 2 + 1 / 0.49)
    torch.testing.assert_close(Edm(0.7).on_score(process, t) / Unweighted().on_score(process, t),
                               edm / plain)  # fmt: skip


def test_loss_shows_the_denoiser_normalised_noisy_data() -> None:
    process = VP()
    seen: list[tuple[Tensor, Tensor]] = []

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        seen.append((y, s))
        return y

    x_0, eps = torch.ones(3, 1, 2, 2), torch.full((3, 1, 2, 2), 2.0)
    uniforms = torch.tensor([0.0, 0.5, 0.9], dtype=torch.float64)
    loss = ScoreMatching(process, UniformTime(), SigmaSquared()).loss(denoise, x_0, eps, uniforms)
    t = UniformTime().draw(uniforms, process)
    s = (process.sigma(t) / process.alpha(t)).float()
    torch.testing.assert_close(seen[0][1], s)
    torch.testing.assert_close(seen[0][0], 1 + 2 * s[:, None, None, None].expand(3, 1, 2, 2))
    assert float(loss) == pytest.approx(4.0, rel=1e-4)  # (2 s)^2 / s^2 at every time


def test_a_density_of_times_weighs_the_loss() -> None:
    class Early(TimeSampling):
        def draw(self, uniforms: Tensor, process: NoiseProcess) -> Tensor:
            return process.t_min + uniforms.square() * (process.t_max - process.t_min)

    uniforms = torch.linspace(0, 0.99, 50, dtype=torch.float64)
    x_0, eps = torch.zeros(50, 1), torch.ones(50, 1)
    early, uniform = (
        ScoreMatching(EDM(), times, Unweighted()).loss(lambda y, s: y, x_0, eps, uniforms)
        for times in (Early(), UniformTime())
    )
    assert early > uniform
