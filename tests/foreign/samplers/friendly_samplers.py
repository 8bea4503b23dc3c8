"""Samplers as users have them, written for these tests after the papers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor


def euler(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
    churn: float = 0.0,
) -> Tensor:
    """Euler's method, with churn (Karras et al. 2022); its noise is drawn in any case."""
    rows = x.new_ones([len(x)])
    for now, then in itertools.pairwise(sigmas):
        eps = torch.randn_like(x)
        hat = now * (1 + churn)
        x = x + eps * (hat**2 - now**2).sqrt()
        x = x + (then - hat) / hat * (x - model(x, hat * rows, **(extra_args or {})))
    return x


def heun(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
) -> Tensor:
    """Heun's method, Euler's in the last step, and in place."""
    rows = x.new_ones([len(x)])
    for now, then in itertools.pairwise(sigmas):
        slope = (x - model(x, now * rows)) / now
        ahead = x + (then - now) * slope
        if then > 0:
            slope = (slope + (ahead - model(ahead, then * rows)) / then) / 2
        x += (then - now) * slope
    return x


def ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
    eta: float = 1.0,
    noise_sampler: Any = None,
) -> Tensor:
    """Euler steps to a lower level, and noise up to the next."""
    rows = x.new_ones([len(x)])
    for now, then in itertools.pairwise(sigmas):
        up = eta * (then**2 * (now**2 - then**2) / now**2).sqrt()
        down = (then**2 - up**2).sqrt()
        x = x + (down - now) / now * (x - model(x, now * rows))
        if then > 0:
            x = x + up * noise_sampler(now, then)
    return x


def multistep(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Any = None,
    callback: Any = None,
    disable: Any = None,
) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022)."""
    rows, past = x.new_ones([len(x)]), None
    levels = sigmas.tolist()
    for i, (now, then) in enumerate(itertools.pairwise(levels)):
        d = model(x, sigmas[i] * rows)
        goal = d
        if past is not None and then > 0:
            ratio = math.log(levels[i - 1] / now) / math.log(now / then)
            goal = d + (d - past) / (2 * ratio)
        keep = then / now
        x, past = keep * x + (1 - keep) * goal, d
    return x


def overlaps(model: Any, x: Tensor, sigmas: Tensor, noise_sampler: Any = None) -> Tensor:
    """Euler's method with noise of two intervals that overlap."""
    for now, then in itertools.pairwise(sigmas):
        middle = (now + then) / 2
        z = noise_sampler(now, middle) + noise_sampler(now, then)
        x = x + (then - now) / now * (x - model(x, now * x.new_ones([len(x)]))) + 0 * z
    return x


def edm_heun(
    net: Any,
    latents: Tensor,
    class_labels: Any = None,
    randn_like: Any = torch.randn_like,
    num_steps: int = 18,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    rho: float = 7.0,
    gamma: float = 0.0,
) -> Tensor:
    """Karras et al. 2022, Algorithms 1 and 2, in float64."""
    ends = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    places = torch.arange(num_steps, dtype=torch.float64) / (num_steps - 1)
    steps = [*((ends[0] + places * (ends[1] - ends[0])) ** rho), torch.tensor(0.0).double()]
    x = latents.double() * steps[0]
    for now, then in itertools.pairwise(steps):
        hat = net.round_sigma(now * (1 + gamma))
        x = x + (hat**2 - now**2).sqrt() * randn_like(x)
        slope = (x - net(x, hat, class_labels).double()) / hat
        ahead = x + (then - hat) * slope
        if then > 0:
            slope = (slope + (ahead - net(ahead, then, class_labels).double()) / then) / 2
        x = x + (then - hat) * slope
    return x


def exponential(
    noise_pred_fn: Any,
    noise_schedule: Any,
    x: Tensor,
    steps: int = 20,
    t_start: float = 1.0,
    t_end: float = 1e-3,
    denoise_to_zero: bool = False,
) -> Tensor:
    """DPM-Solver-1 (Lu et al. 2022) on equal steps of lambda."""
    ns = noise_schedule
    ends = torch.tensor([t_start, t_end], dtype=torch.float64)
    first, last = ns.marginal_lambda(ends)
    times = ns.inverse_lambda(torch.linspace(float(first), float(last), steps + 1).double())
    times[0], times[-1] = t_start, t_end
    for now, then in itertools.pairwise(times):
        h = ns.marginal_lambda(then) - ns.marginal_lambda(now)
        scale = (ns.marginal_log_mean_coeff(then) - ns.marginal_log_mean_coeff(now)).exp()
        eps = noise_pred_fn(x, now.expand(len(x)))
        x = scale * x - ns.marginal_std(then) * torch.expm1(h) * eps
    if denoise_to_zero:
        eps = noise_pred_fn(x, times[-1].expand(len(x)))
        x = (x - ns.marginal_std(times[-1]) * eps) / ns.marginal_alpha(times[-1])
    return x


class Exponential:
    """The same as a class of DPM-Solver's form."""

    def __init__(self, model_fn: Any, noise_schedule: Any, scale: float = 1.0) -> None:
        self.model_fn, self.ns, self.scale = model_fn, noise_schedule, scale

    def sample(self, x: Tensor, steps: int, t_start: float, t_end: float) -> Tensor:
        """x at t_end."""
        return exponential(self.model_fn, self.ns, self.scale * x, steps, t_start, t_end)


def plain_ancestral(x: Tensor, denoise: Any, levels: Any, noise: Any) -> Tensor:
    """Ancestral steps of the plain signature."""
    for now, then in itertools.pairwise(levels):
        up = math.sqrt(then**2 * (now**2 - then**2) / now**2)
        down = math.sqrt(then**2 - up**2)
        x = x + (down - now) / now * (x - denoise(x, now)) + up * noise()
    return x
