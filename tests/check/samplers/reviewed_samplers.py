"""Samplers with one fault each that a reviewer has to be told of, and good ones beside them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor


def _slope(model: Any, x: Tensor, sigma: Tensor) -> Tensor:
    return (x - model(x, sigma * x.new_ones([len(x)]))) / sigma


def sample_euler(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A good one of order 1."""
    for now, then in pairwise(sigmas):
        x = x + (then - now) * _slope(model, x, now)
    return x


def sample_heun(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A good one of order 2."""
    for now, then in pairwise(sigmas):
        slope = _slope(model, x, now)
        ahead = x + (then - now) * slope
        if then > 0:
            ahead = x + (then - now) * (slope + _slope(model, ahead, then)) / 2
        x = ahead
    return x


def sample_euler_ancestral(
    model: Any, x: Tensor, sigmas: Tensor, noise_sampler: Any = None
) -> Tensor:
    """A good one that draws noise."""
    for now, then in pairwise(sigmas):
        up = (then**2 * (now**2 - then**2) / now**2).sqrt()
        down = (then**2 - up**2).sqrt()
        x = x + (down - now) * _slope(model, x, now)
        x = x + up * noise_sampler(now, then) if then > 0 else x
    return x


def plain_midpoint(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """A good one of the plain signature."""
    for now, then in pairwise(levels):
        middle = (now * then) ** 0.5
        half = x + (middle - now) / now * (x - denoise(x, now))
        x = x + (then - now) / middle * (half - denoise(half, middle))
    return x


def noise_at_the_end(model: Any, x: Tensor, sigmas: Tensor, noise_sampler: Any = None) -> Tensor:
    """Noise of the last level but one is added after the last step."""
    x = sample_euler_ancestral(model, x, sigmas, noise_sampler)
    return x + sigmas[-2] * noise_sampler(sigmas[-2], sigmas[-1])


def stops_early(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """The step to 0 is left out."""
    return sample_euler(model, x, sigmas[:-1])


def one_more(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Two evaluations a step, of which one is thrown away."""
    for now, then in pairwise(sigmas):
        _slope(model, x, now)
        x = x + (then - now) * _slope(model, x, now)
    return x


def moody(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Another evaluation where samples are large."""
    for now, then in pairwise(sigmas):
        slope = _slope(model, x, now)
        x = x + (then - now) * (_slope(model, x, now) if float(x.abs().max()) > 70 else slope)
    return x


def wrong_weight(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Heun's method with a slope of the wrong level."""
    for now, then in pairwise(sigmas):
        slope = _slope(model, x, now)
        if then > 0:
            ahead = _slope(model, x + (then - now) * slope, then)
            slope = 0.6 * slope + 0.4 * ahead
        x = x + (then - now) * slope
    return x


def coupled(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A slope that the mean of the batch shifts."""
    for now, then in pairwise(sigmas):
        slope = _slope(model, x, now)
        x = x + (then - now) * (slope + 1e-3 * (now - then) * slope.mean(0, keepdim=True))
    return x


def global_generator(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Ancestral noise of torch's global generator."""
    return sample_euler_ancestral(model, x, sigmas, lambda a, b: torch.randn_like(x))


def unused_draws(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Noise that nobody needs."""
    torch.randn_like(x)
    return sample_euler(model, x, sigmas)


def in_place(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Writes into what it is handed."""
    for now, then in pairwise(sigmas):
        x += (then - now) * _slope(model, x, now)
    return x


def settings(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Changes a setting of torch."""
    torch.set_default_dtype(torch.float64)
    return sample_euler(model, x, sigmas)


def single(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Rounds to half precision on its way."""
    return sample_euler(
        model, x.half().to(x.dtype) * (1 + 1e-2 * (x.dtype == torch.float32)), sigmas
    )


def remembers(model: Any, x: Tensor, sigmas: Tensor, past: list[int] = []) -> Tensor:  # noqa: B006
    """Depends on how often it was called."""
    past.append(1)
    return sample_euler(model, x, sigmas) * (1 + 1e-3 * len(past))


def sample_two_steps_at_least(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A good one that wants as many steps as its order."""
    assert len(sigmas) > 3
    return sample_heun(model, x, sigmas)


def _geometric(now: Tensor, then: Tensor) -> Tensor:
    return (now * then).sqrt()


def _ancestral(now: Tensor, then: Tensor) -> tuple[Tensor, Tensor]:
    up = torch.minimum(then, (then**2 * (now**2 - then**2) / now**2).sqrt())
    return (then**2 - up**2).sqrt(), up


def sample_dpm_2(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A good one of order 2: the midpoint in ln sigma."""
    for now, then in pairwise(sigmas):
        slope = _slope(model, x, now)
        if then > 0:
            middle = _geometric(now, then)
            slope = _slope(model, x + (middle - now) * slope, middle)
        x = x + (then - now) * slope
    return x


def sample_dpm_2_ancestral(
    model: Any, x: Tensor, sigmas: Tensor, noise_sampler: Any = None
) -> Tensor:
    """A good one of weak order 2 that draws noise."""
    for now, then in pairwise(sigmas):
        down, up = _ancestral(now, then)
        slope = _slope(model, x, now)
        if down > 0:
            middle = _geometric(now, down)
            slope = _slope(model, x + (middle - now) * slope, middle)
        x = x + (down - now) * slope
        x = x + up * noise_sampler(now, then) if then > 0 else x
    return x


def sample_dpmpp_2s_ancestral(
    model: Any, x: Tensor, sigmas: Tensor, noise_sampler: Any = None
) -> Tensor:
    """A good one of weak order 2: exponential midpoint steps."""
    for now, then in pairwise(sigmas):
        down, up = _ancestral(now, then)
        d = model(x, now * x.new_ones([len(x)]))
        if down > 0:
            middle = _geometric(now, down)
            half = d + middle / now * (x - d)
            d = model(half, middle * x.new_ones([len(x)]))
        x = d + down / now * (x - d)
        x = x + up * noise_sampler(now, then) if then > 0 else x
    return x


def sample_dpmpp_2m(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """A good one of order 2: multistep, one evaluation a step."""
    before: tuple[Tensor, Tensor] | None = None
    for now, then in pairwise(sigmas):
        d = model(x, now * x.new_ones([len(x)]))
        ahead = d
        if before is not None and then > 0:
            ratio = (now / then).log() / (before[0] / now).log()
            ahead = d + ratio / 2 * (d - before[1])
        x = ahead + then / now * (x - ahead)
        before = now, d
    return x


def edm_sampler(
    net: Any,
    latents: Tensor,
    class_labels: Any = None,
    randn_like: Any = torch.randn_like,
    num_steps: int = 18,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    rho: float = 7.0,
) -> Tensor:
    """A good one of order 2, of the signature edm: its own ramp, float64."""
    places = torch.arange(num_steps, dtype=torch.float64) / (num_steps - 1)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    ramp = (high + places * (low - high)) ** rho
    x = latents.double() * sigma_max
    for now, then in pairwise([*ramp, ramp.new_zeros(())]):
        slope = (x - net(x, now, class_labels).double()) / now
        ahead = x + (then - now) * slope
        if then > 0:
            slope = (slope + (ahead - net(ahead, then, class_labels).double()) / then) / 2
        x = x + (then - now) * slope
    return x


def plain_two_step(x: Tensor, denoise: Any, levels: Any) -> Tensor:
    """A good one of the plain signature: Adams-Bashforth of order 2 in s."""
    before: tuple[float, Tensor] | None = None
    for now, then in pairwise(levels):
        slope = (x - denoise(x, now)) / now
        step, bent = then - now, slope
        if before is not None:
            bent = slope + step / (2 * (now - before[0])) * (slope - before[1])
        x = x + step * bent
        before = now, slope
    return x


def langevin_of_the_batch(x: Tensor, denoise: Any, levels: Any, noise: Any) -> Tensor:
    """Euler's method corrected by Langevin steps whose size is of norms over the batch.

    As in the code of Song et al. 2021: the mean of the samples' norms decides each sample's step.
    """
    for now, then in pairwise(levels):
        x = x + (then - now) / now * (x - denoise(x, now))
        score, z = (denoise(x, then) - x) / then**2, noise()
        norms = [entry.flatten(1).norm(dim=1).mean() for entry in (score, z)]
        step = 2 * (0.1 * norms[1] / norms[0]) ** 2
        x = x + step * score + (2 * step).sqrt() * z
    return x


def generator_of_numpy(model: Any, x: Tensor, sigmas: Tensor) -> Tensor:
    """Ancestral noise of numpy's global generator."""

    def draw(a: Tensor, b: Tensor) -> Tensor:
        return torch.from_numpy(np.random.randn(*x.shape)).to(x)  # noqa: NPY002

    return sample_euler_ancestral(model, x, sigmas, draw)


def sample_equal_steps(
    model: Any, x: Tensor, sigma_min: float, sigma_max: float, n: int, noise_sampler: Any = None
) -> Tensor:
    """Euler's method of n steps equal in ln s; its noise is drawn and weighs nothing."""
    levels = [sigma_max * (sigma_min / sigma_max) ** (i / n) for i in range(n + 1)]
    for now, then in pairwise(levels):
        d = model(x, now * x.new_ones([len(x)]))
        x = x + (then - now) / now * (x - d) + 0 * noise_sampler(now, then)
    return x
