"""Likelihood weighting and importance sampling, on Gaussian data where the bound is known.

Let p and q be two Gaussian data sets, p_t and q_t what a process makes of them. With the score of q
as the model, half the loss of Song et al. 2021 (arXiv:2101.09258, theorem 1) above its minimum is
the part of KL(p, q) that is lost on the way: KL(p_0, q_0) - KL(p_T, q_T), exactly.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bench.api import NoiseProcess
from bench_plugins.edm.process import EDM
from bench_plugins.score_sde.processes import VE, VP, SubVP
from bench_train.losses import ScoreMatching
from bench_train.times import Importance, TimeSampling, UniformTime
from bench_train.weightings import Likelihood

PROCESSES = [VP(), SubVP(), VE(), EDM()]
TRUTH, MODEL = (-0.3, 0.49), (0.1, 0.81)  # mean and variance
MIDPOINTS = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000


def _divergence(process: NoiseProcess, t: float) -> float:
    """KL(p_t, q_t)."""
    point = process.at(t)
    (m_p, v_p), (m_q, v_q) = (
        (point.alpha * mean, point.alpha**2 * variance + point.sigma**2)
        for mean, variance in (TRUTH, MODEL)
    )
    return 0.5 * (v_p / v_q + (m_p - m_q) ** 2 / v_q - 1 + math.log(v_q / v_p))


def _loss(process: NoiseProcess, times: TimeSampling, moments: tuple[float, float]) -> float:
    """The loss of the exact denoiser for data of these moments, over all times, on p's data."""
    mean, variance = moments
    uniforms = MIDPOINTS.repeat_interleave(4)
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    signs = signs.repeat(len(MIDPOINTS), 1)
    x_0, eps = TRUTH[0] + TRUTH[1] ** 0.5 * signs[:, :1], signs[:, 1:]

    def denoise(y: Tensor, s: Tensor) -> Tensor:
        slope = variance / (variance + s.square())[:, None]
        return mean + slope * (y - mean)

    return float(ScoreMatching(process, times, Likelihood()).loss(denoise, x_0, eps, uniforms))


@pytest.mark.parametrize("times", [UniformTime(), Importance()], ids=["uniform", "importance"])
@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_half_the_loss_is_the_divergence_lost_on_the_way(
    process: NoiseProcess, times: TimeSampling
) -> None:
    if isinstance(process, EDM) and isinstance(times, UniformTime):
        pytest.skip("a grid uniform in t is too coarse for t from 0.002 to 80")
    excess = _loss(process, times, MODEL) - _loss(process, times, TRUTH)
    lost = _divergence(process, process.t_min) - _divergence(process, process.t_max)
    span = process.t_max - process.t_min
    assert 0.5 * span * excess == pytest.approx(lost, rel=2e-5)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_importance_sampling_keeps_the_expectation(process: NoiseProcess) -> None:
    def integrand(t: Tensor) -> Tensor:
        share = (t - process.t_min) / (process.t_max - process.t_min)
        return 1 + share * (1 - share) + share.square().square()

    t = Importance().draw(MIDPOINTS, process)
    weighted = (Importance().correction(t, process) * integrand(t)).mean()
    assert float(weighted) == pytest.approx(1 + 1 / 6 + 1 / 5, rel=1e-5)


@pytest.mark.parametrize("process", [VP(), SubVP()], ids=lambda p: p.name)
def test_importance_density_is_the_papers(process: VP | SubVP) -> None:
    t = torch.linspace(0.001, 1.0, 50, dtype=torch.float64)
    low, slope = process.beta_min, process.beta_max - process.beta_min
    beta, b = low + slope * t, t * (low + 0.5 * slope * t)
    ends = torch.tensor([process.t_min, process.t_max], dtype=torch.float64)
    b_ends = ends * (low + 0.5 * slope * ends)
    if isinstance(process, SubVP):  # g^2 = beta (1 - e^-2B), sigma = 1 - e^-B
        weight = beta * (1 - (-2 * b).exp()) / (1 - (-b).exp()).square()
        antiderivative = 2 * (b_ends / 2).sinh().log()
    else:  # g^2 = beta, sigma^2 = 1 - e^-B
        weight = beta / (1 - (-b).exp())
        antiderivative = b_ends.expm1().log()
    density = weight / (antiderivative[1] - antiderivative[0])
    span = process.t_max - process.t_min
    torch.testing.assert_close(Importance().correction(t, process), 1 / (span * density))


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)
def test_g2_of_the_loss_is_the_closed_form(process: NoiseProcess) -> None:
    t = torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
    b = t * (0.1 + 0.5 * t * 19.9)
    expected = {
        "vp": 0.1 + 19.9 * t,
        "subvp": (0.1 + 19.9 * t) * (1 - (-2 * b).exp()),
        "ve": 2 * math.log(5000) * (0.01 * 5000.0**t).square(),
        "edm": 2 * t,
    }
    torch.testing.assert_close(Likelihood().on_score(process, t), expected[process.name])


@pytest.mark.parametrize("process", [VP(), SubVP()], ids=lambda p: p.name)
def test_importance_sampling_lowers_the_variance(process: NoiseProcess) -> None:
    # The loss in terms of eps of a network whose eps error falls from 1 with the noise.
    def loss(t: Tensor) -> Tensor:
        point = process.sigma(t).square()
        return process.g2(t) / point / (1 + point)

    variances = []
    for times in (UniformTime(), Importance()):
        t = times.draw(MIDPOINTS, process)
        variances.append(float((loss(t) * times.correction(t, process)).var()))
    assert variances[1] < 0.01 * variances[0]
