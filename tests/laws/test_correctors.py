"""Langevin correctors: the step itself, and the law that their chain settles to."""

from __future__ import annotations

from math import sqrt
from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers import ScoreSdeVeScheduler
from diffusers.schedulers import scheduling_sde_ve
from torch import Tensor

from bench.api import Corrector, NoiseProcess, NoiseStream, Problem
from bench.registry import Kind, build, load_registry

MEAN, VARIANCE = 0.7, 0.3


def gaussian(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] for x_0 ~ N(MEAN, VARIANCE I)."""
    return MEAN + VARIANCE / (VARIANCE + s * s) * (y - MEAN)


class Draws:
    """Stands in for a noise stream: hands out given tensors."""

    def __init__(self, *draws: Tensor) -> None:
        self.left = list(draws)

    def normal(self) -> Tensor:
        return self.left.pop(0)


def _corrector(name: str, **parameters: object) -> Corrector:
    plugin = build(load_registry().get(name, Kind.CORRECTOR).cls, parameters)
    assert isinstance(plugin, Corrector)
    return plugin


def _correct(
    corrector: Corrector, process: NoiseProcess, s: float, x: Tensor, *z: Tensor
) -> Tensor:
    problem = Problem(process, gaussian, cast(NoiseStream, Draws(*z)))
    return corrector.correct(problem, x, process.at_s(s))


def _random(*shape: int, seed: int = 3) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("snr", [0.05, 0.16, 0.4])
def test_langevin_steps_by_each_samples_own_norms(process: NoiseProcess, snr: float) -> None:
    x, z = _random(5, 3, 4, 4), _random(5, 3, 4, 4, seed=4)
    x[1] *= 100  # must not touch its neighbours
    now = process.at_s(0.8)
    spread = now.alpha**2 * VARIANCE + now.sigma**2
    result = _correct(_corrector("langevin", snr=snr), process, 0.8, x, z)
    for row, noise, got in zip(x.numpy(), z.numpy(), result.numpy(), strict=True):
        score = -(row - now.alpha * MEAN) / spread
        step = 2 * (snr * np.linalg.norm(noise) / np.linalg.norm(score)) ** 2
        np.testing.assert_allclose(got, row + step * score + sqrt(2 * step) * noise, rtol=1e-9)


@pytest.mark.parametrize("snr", [0.05, 0.16, 0.4])
def test_annealed_langevin_steps_by_the_noise_level(process: NoiseProcess, snr: float) -> None:
    x, z = _random(5, 7), _random(5, 7, seed=4)
    now = process.at_s(0.8)
    score = -(x - now.alpha * MEAN) / (now.alpha**2 * VARIANCE + now.sigma**2)
    step = 2 * (snr * now.sigma) ** 2
    result = _correct(_corrector("annealed_langevin", snr=snr), process, 0.8, x, z)
    torch.testing.assert_close(result, x + step * score + sqrt(2 * step) * z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["langevin", "annealed_langevin"])
def test_several_steps_are_single_steps_in_a_row(process: NoiseProcess, name: str) -> None:
    x, first, second = _random(5, 7), _random(5, 7, seed=4), _random(5, 7, seed=5)
    both = _correct(_corrector(name, steps=2), process, 0.8, x, first, second)
    half = _correct(_corrector(name), process, 0.8, x, first)
    torch.testing.assert_close(both, _correct(_corrector(name), process, 0.8, half, second))


def test_langevin_is_that_of_score_sde(monkeypatch: pytest.MonkeyPatch) -> None:
    """diffusers averages the norms over the batch, so that batches of one are compared."""
    process = load_registry().get("ve", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    scheduler: Any = ScoreSdeVeScheduler(snr=0.16)
    scheduler.set_timesteps(10)
    for seed in range(5):
        x, z = 3 * _random(1, 3, 4, 4, seed=seed), _random(1, 3, 4, 4, seed=seed + 100)
        monkeypatch.setattr(scheduling_sde_ve, "randn_tensor", lambda *_, z=z, **__: z)
        score = -(x - MEAN) / (VARIANCE + 0.8**2)
        expected = scheduler.step_correct(score, x).prev_sample
        result = _correct(_corrector("langevin"), process, 0.8, x, z)
        torch.testing.assert_close(result, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("level", [0.2, 1.0, 30.0])
def test_annealed_langevin_settles_at_the_variance_of_its_autoregression(
    process: NoiseProcess, level: float
) -> None:
    """V / (1 - r^2 sigma^2 / V), read off the step's own coefficients."""
    now = process.at_s(level)
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    z = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)
    for snr in (0.05, 0.16, 0.4):
        out = _correct(_corrector("annealed_langevin", snr=snr), process, level, x, z)[:, 0]
        shift, keep, gain = out[0].item(), (out[1] - out[0]).item(), (out[2] - out[0]).item()
        assert shift / (1 - keep) == pytest.approx(now.alpha * MEAN, rel=1e-7)
        variance = now.alpha**2 * VARIANCE + now.sigma**2
        settled = gain**2 / (1 - keep**2)
        assert settled == pytest.approx(variance / (1 - snr**2 * now.sigma**2 / variance), rel=1e-7)
    # Without data variance the bias at 0.16 is 1 / (1 - r^2): the +2.6 % of the literature.
    assert pytest.approx(1.026, abs=5e-4) == 1 / (1 - 0.16**2)


@pytest.mark.parametrize(("snr", "level"), [(0.16, 0.3), (0.16, 5.0), (0.3, 1.0)])
@pytest.mark.parametrize("process_name", ["ve", "vp"])
def test_langevin_settles_at_one_plus_snr_squared(
    process_name: str, snr: float, level: float
) -> None:
    """In high dimension |z|^2 = d and |score|^2 = d V'/V^2, hence V' = V (1 + r^2)."""
    process = load_registry().get(process_name, Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    corrector, now = _corrector("langevin", snr=snr), process.at_s(level)
    variance = now.alpha**2 * VARIANCE + now.sigma**2
    noise = NoiseStream(1, "sampler", 0, 16, (2048,), torch.float64)
    problem = Problem(process, gaussian, noise)
    x = now.alpha * MEAN + sqrt(variance) * noise.normal()
    ratios = []
    for i in range(260):
        x = corrector.correct(problem, x, now)
        if i >= 100:
            ratios.append((x - now.alpha * MEAN).square().mean().item() / variance)
    assert np.mean(ratios) == pytest.approx(1 + snr**2, abs=0.006)
