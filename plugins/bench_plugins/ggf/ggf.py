"""The adaptive SDE solver of Gotta Go Fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    NoiseProcess,
    PerSamplePredictor,
    Problem,
    Time,
    TriedStep,
    Walk,
    WalkStart,
    require,
    rows_of,
)
from bench_plugins.ggf.papers import JOLICOEUR2021GOTTA

_SMALLEST = 1e-7
_PADDING = 64


@dataclass(frozen=True)
class GGF(PerSamplePredictor):
    """Euler-Maruyama against the stochastic improved Euler method; each sample steps by itself.

    On the reverse SDE in t, with the drift F = f x - g^2 score and one z for both:
    x' = x - h F(x, t) + h^1/2 g(t) z and x'' = x - h/2 (F(x, t) + F(x', t - h)) + h^1/2
    (g(t) + g(t - h)) / 2 z. Their distance over max(atol, rtol max(|x'|, |x'_prev|)), root mean
    square of the entries, is the error E. Up to E = 1 the sample goes on from x'' (extrapolation);
    in any case h becomes safety h E^-exponent, but no more than is left. Two evaluations per
    attempt and sample; only samples under way go through the network. With fixed steps the weak
    order is 2.

    As in the paper, an attempt after a rejected one draws z anew. That favours draws which pass,
    so that the samples keep a bias at every tolerance: with d entries to a sample their variance
    is too large by about 1 / d, which images do not feel, but the line and the plane do.

    The paper stops at t = 1e-3 (VP) or 1e-5 (VE), here it is where the grid ends. Steps do not
    fall below 1e-7 of the way, where they are taken as they are.

    Attributes:
        rtol: relative tolerance; 0.01 to 0.05 in the paper.
        atol: absolute tolerance; one level of 256 in [-1, 1] (VE's data in [0, 1] have half).
        h_init: first step, as a share of the way in t (which is 1 in the paper).
        safety: factor of the next step (theta).
        exponent: power of the error in the next step (r).
    """

    name: ClassVar[str] = "ggf"
    reference: ClassVar[str] = "Jolicoeur-Martineau et al. 2021, arXiv:2105.14080, Algorithm 1"
    bibtex: ClassVar[str] = JOLICOEUR2021GOTTA
    order: ClassVar[int] = 2

    rtol: float = 0.01
    atol: float = 0.0078
    h_init: float = 0.01
    safety: float = 0.9
    exponent: float = 0.9

    def __post_init__(self) -> None:
        require(self.rtol > 0, "rtol must be > 0")
        require(self.atol > 0, "atol must be > 0")
        require(0 < self.h_init <= 1, "h_init must lie in (0, 1]")
        require(0 < self.safety < 1, "safety must lie in (0, 1)")
        require(0 < self.exponent <= 1, "exponent must lie in (0, 1]")

    def begin(self, problem: Problem, x: Tensor, first: Time, last: Time) -> WalkStart:
        # Times stay on the CPU in float64; the device gets the schedule's values only.
        way = self.h_init * (first.t - last.t)
        h = torch.full((len(x),), way, dtype=torch.float64, device="cpu")
        return WalkStart(x, first.t, last.t, h, memory=(x,))

    def attempt(self, problem: Problem, walk: Walk, then: Tensor) -> TriedStep:
        (previous,) = walk.memory
        size, smallest = walk.now - then, _SMALLEST * (walk.start - walk.end)
        euler, gap = _pair(problem, walk.x, walk.z, walk.now, then)
        scale = torch.maximum(euler.abs(), previous.abs()).mul_(self.rtol)
        error = _root_mean_square(gap / scale.clamp_min_(self.atol))
        # Not a number counts as accepted: it ends the sample, and the host will find it.
        accepted = ~(error > 1) | (size <= smallest)
        h = (self.safety * size * _power(error, -self.exponent)).clamp_min(smallest)
        return TriedStep(euler + gap, accepted, h, memory=(euler,))


def _pair(
    problem: Problem, x: Tensor, z: Tensor, now: Tensor, then: Tensor
) -> tuple[Tensor, Tensor]:
    """Euler-Maruyama's x', and the x'' - x' of improved Euler."""
    size = now - then
    h, root = (rows_of(v.to(x.device, x.dtype), x) for v in (size, size.sqrt()))
    at_now, at_then = _schedule(problem.process, torch.cat((now, then)), x).split(len(x), 1)
    drift, g = _reverse_sde(problem, x, at_now)
    euler = x - h * drift + root * g * z
    drift_then, g_then = _reverse_sde(problem, euler, at_then)
    # Not as a difference of x'' and x', which would round the error away.
    return euler, (h * (drift - drift_then) + root * (g_then - g) * z) / 2


def _schedule(process: NoiseProcess, t: Tensor, x: Tensor) -> Tensor:
    """alpha, s, the drift's factors of x and of D, and g at times ``t``; (5, n), as ``x`` is."""
    # Vectorised powers have other last bits than those of what is left over at the end of a
    # tensor: without a rest, no sample's times depend on how many samples there are.
    padded = torch.nn.functional.pad(t, (0, -len(t) % _PADDING), value=float(t[0]))
    alpha, sigma = process.alpha(padded), process.sigma(padded)
    f, g2 = process.f(padded), process.g2(padded)
    pull = g2 / sigma**2  # f x - g^2 score with the score (alpha D - x) / sigma^2
    values = torch.stack((alpha, sigma / alpha, f + pull, -pull * alpha, g2.sqrt()))
    return values[:, : len(t)].to(x.device, x.dtype)


def _reverse_sde(problem: Problem, x: Tensor, schedule: Tensor) -> tuple[Tensor, Tensor]:
    """f x - g^2 score and g. One evaluation."""
    alpha, _, mean_x, mean_d, g = (rows_of(values, x) for values in schedule)
    d = problem.model(x / alpha, schedule[1])
    return mean_x * x + mean_d * d, g


def _root_mean_square(x: Tensor) -> Tensor:
    """Of each sample's entries, float64 on the CPU, (n,)."""
    return x.flatten(1).square().mean(1).to("cpu", torch.float64).sqrt()


def _power(x: Tensor, exponent: float) -> Tensor:
    """x^exponent, by functions whose bits do not depend on the place in the tensor."""
    return (exponent * x.log()).exp()
