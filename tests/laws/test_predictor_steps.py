"""Single predictor steps against the papers' formulas, written with the score."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from bench.api import NoiseProcess, NoiseStream, Predictor, Problem
from bench.registry import Kind, load_registry
from bench_plugins.models.closed_form import Mixture

LEVELS = (10.0, 4.0, 1.0, 0.2)


class OneDraw:
    """Stands in for a noise stream: always the same draw."""

    def __init__(self, z: Tensor) -> None:
        self.z = z

    def normal(self) -> Tensor:
        return self.z


def _setting(process: NoiseProcess, plane: Mixture) -> tuple[Problem, Tensor, Tensor]:
    random = np.random.default_rng(5)
    x, z = (torch.from_numpy(random.standard_normal((8, 2))) for _ in range(2))
    return Problem(process, plane.denoise, cast(NoiseStream, OneDraw(z))), x, z


def _predictor(name: str) -> Predictor[Any]:
    predictor = load_registry().get(name, Kind.PREDICTOR).cls()
    assert isinstance(predictor, Predictor)
    return predictor


def test_euler_maruyama_on_the_reverse_sde(process: NoiseProcess, plane: Mixture) -> None:
    """x + (f x - g^2 score) dt + g |dt|^1/2 z with dt < 0, once."""
    problem, x, z = _setting(process, plane)
    for now, then in pairwise(process.at_s(s) for s in LEVELS):
        dt = then.t - now.t
        drift = now.f * x - now.g2 * problem.score(x, now)
        expected = x + drift * dt + sqrt(now.g2) * sqrt(-dt) * z
        result, _ = _predictor("euler_maruyama").step(problem, x, now, then, None)
        torch.testing.assert_close(result, expected, rtol=1e-9, atol=1e-9)


def test_reverse_diffusion_of_the_discrete_vp_chain(plane: Mixture) -> None:
    """(2 - (1 - beta_i)^1/2) x + beta_i score + beta_i^1/2 z, beta_i of the alpha products."""
    process = load_registry().get("vp", Kind.PROCESS).cls()
    assert isinstance(process, NoiseProcess)
    problem, x, z = _setting(process, plane)
    for now, then in pairwise(process.at_s(s) for s in LEVELS):
        beta = 1 - now.alpha**2 / then.alpha**2
        expected = (2 - sqrt(1 - beta)) * x + beta * problem.score(x, now) + sqrt(beta) * z
        result, _ = _predictor("reverse_diffusion").step(problem, x, now, then, None)
        torch.testing.assert_close(result, expected, rtol=1e-9, atol=1e-9)


def test_ancestral_is_the_posterior_given_the_denoised_sample(
    process: NoiseProcess, plane: Mixture
) -> None:
    """q(x_then | x_now, x_0 = D) by the product of two Gaussians, in x_then."""
    problem, x, z = _setting(process, plane)
    for now, then in pairwise(process.at_s(s) for s in LEVELS):
        a = now.alpha / then.alpha
        forward = now.sigma**2 - a**2 * then.sigma**2  # x_now = a x_then + forward^1/2 z
        precision = a**2 / forward + 1 / then.sigma**2
        centre = a * x / forward + then.alpha * problem.denoise(x, now) / then.sigma**2
        expected = centre / precision + z / sqrt(precision)
        result, _ = _predictor("ancestral").step(problem, x, now, then, None)
        torch.testing.assert_close(result, expected, rtol=1e-8, atol=1e-8)
