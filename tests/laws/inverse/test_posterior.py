"""The exact control, the bias of methods on Gaussians, and particles against the posterior."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bench.api import ScoreModel
from bench.testing.plugins import model_of, stepper_of
from bench_plugins.inverse.mcgdiff import groups, resample


def _mixture() -> ScoreModel:
    plugin = model_of("random_mixture", dim=4, components=3)
    return plugin.load(torch.device("cpu"), torch.float64)


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("heun", 2)])
def test_the_exact_control_converges_at_the_order_of_the_solver(
    lab: SimpleNamespace, solver: str, order: int
) -> None:
    model, task, exact = _mixture(), lab.inpainting(noise=0.3), lab.guidance_of("exact")
    span = {"samples": 16, "s_min": 0.05, "s_max": 20.0}

    def end(name: str, steps: int) -> Tensor:
        return lab.Setting(**span, steps=steps).run(model, task, stepper_of(name), exact).x

    truth = end("rk4", 320)
    errors = [float((end(solver, steps) - truth).abs().mean()) for steps in (40, 80)]
    ratio = errors[0] / errors[1]
    assert 2 ** (order - 0.35) < ratio < 2 ** (order + 0.7)


@pytest.mark.parametrize("solver", ["heun", "ancestral"])
def test_the_exact_control_samples_the_posterior(lab: SimpleNamespace, solver: str) -> None:
    model, task, n = _mixture(), lab.inpainting(noise=0.3, draws=1024), 1024
    setting = lab.Setting(samples=n, batch=n, steps=60)
    run = setting.run(model, task, stepper_of(solver), lab.guidance_of("exact"))
    truth = model.target.exact.posterior(run.observation).sample(5)
    error = (run.x.var(0) / n + truth.var(0) / n).sqrt()
    assert float(((run.x.mean(0) - truth.mean(0)) / error).abs().max()) < 4.5
    assert float((run.x.std(0) / truth.std(0) - 1).abs().max()) < 0.15


def test_ddnm_follows_its_recursion_on_a_gaussian(lab: SimpleNamespace) -> None:
    """With a Gaussian all is linear: y_then = D' + (s_then / s_now) (y - D'), by matrices."""
    gauss, task = lab.correlated(), lab.inpainting(noise=0.0)
    setting = lab.Setting(samples=16, steps=30)
    run = setting.run(gauss.model, task, stepper_of("ddim"), lab.guidance_of("ddnm"))
    times = setting.times()
    y, known = run.start / times[0].alpha, run.observation.value

    def denoise(y: Tensor, s: float) -> Tensor:
        d = gauss.mean + (y - gauss.mean) @ gauss.gain(s).T
        return torch.cat([known, d[:, 2:]], 1)

    for now, then in itertools.pairwise(times):
        d = denoise(y, now.s)
        y = d + then.s / now.s * (y - d)
    torch.testing.assert_close(run.x, denoise(y, times[-1].s), rtol=1e-7, atol=1e-7)


def test_repaint_without_resampling_is_ancestral_sampling_with_replacement(
    lab: SimpleNamespace,
) -> None:
    """In law, but for the observed part of x_T, which only replacement draws from q(x_T | y)."""
    gauss, n = lab.correlated(), 1024
    task, setting = lab.inpainting(noise=0.0, draws=n), lab.Setting(samples=n, batch=n, steps=40)
    guided = setting.run(gauss.model, task, stepper_of("ancestral"), lab.guidance_of("replacement"))
    once = setting.run(gauss.model, task, stepper_of("repaint", resamplings=1)).x[:, 2:]
    other = guided.x[:, 2:]
    noise = ((once.var(0) + other.var(0)) / n).sqrt()
    assert float(((once.mean(0) - other.mean(0)) / noise).abs().max()) < 5
    assert float((once.std(0) / other.std(0) - 1).abs().max()) < 0.15


def test_particles_are_drawn_by_weight_within_their_question() -> None:
    value = torch.tensor([[0.0], [0.0], [0.0], [0.0], [1.0], [1.0], [2.0]])
    group = groups(value)
    assert group.tolist() == [0, 0, 0, 0, 1, 1, 2]
    weight = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.25, 0.75, 9.0], dtype=torch.float64)
    count, draws = torch.zeros(7, 7), 4000
    generator = torch.Generator().manual_seed(0)
    for _ in range(draws):
        uniform = torch.rand(7, generator=generator, dtype=torch.float64)
        rows = resample(weight.log(), group, uniform)
        count[torch.arange(7), rows] += 1
    seen = count / draws
    assert float(seen[:4, 4:].sum() + seen[4:6, :4].sum() + seen[4:6, 6].sum()) == 0
    assert seen[6, 6] == 1
    torch.testing.assert_close(
        seen[:4, :4].sum(0), 4 * torch.tensor([0.1, 0.2, 0.3, 0.4]), rtol=0, atol=0.05
    )
    torch.testing.assert_close(
        seen[4:6, 4:6].sum(0), 2 * torch.tensor([0.25, 0.75]), rtol=0, atol=0.05
    )
    equal = resample(torch.zeros(7), group, torch.rand(7, generator=generator))
    assert equal.tolist() == list(range(7))  # nobody dies where all are alike


def test_more_particles_come_nearer_to_the_posterior(lab: SimpleNamespace) -> None:
    gauss, errors = lab.correlated(), []
    c, eye = gauss.covariance, torch.eye(2, dtype=torch.float64)
    for draws in (1, 8, 64):
        n = 24 * draws
        task = lab.inpainting(noise=0.3, draws=draws)
        run = lab.Setting(samples=n, steps=40).run(gauss.model, task, stepper_of("mcgdiff"))
        gap = run.observation.value[::draws] - gauss.mean[:2]
        gain = c[:, :2] @ torch.linalg.inv(c[:2, :2] + 0.09 * eye)
        mean = run.x.reshape(24, draws, 4).mean(1)
        errors.append(float((mean - gauss.mean - gap @ gain.T).square().mean().sqrt()))
    assert errors[1] < 0.7 * errors[0]
    assert errors[2] < 0.7 * errors[1]
