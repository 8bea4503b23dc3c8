"""Paths of a process in one dimension: from data to noise and back, over the density of p_t.

They are a picture of what a model and a process are, for models of one or two dimensions whose
distribution is known in closed form. No number rests on them and no solver's plugin draws them:
data become noise by the exact transitions of the forward SDE; noise becomes data by ancestral
steps (the reverse SDE) and by DDIM's step (the probability-flow ODE), both on a grid so fine that
their errors are below the width of a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bench.core.noise import NoiseStream
from bench.core.process import NoiseProcess, Time
from bench.core.target import ExactDistribution, ScoreModel
from bench.registry import registry_of
from bench.results.path_file import Array, Paths, name_of
from bench.run.params import canonical
from bench.run.spec import PluginSpec

SHOWN, TIMES, FINE, LEVELS = 12, 49, 8, 161
"""Paths, times of the picture, steps from one time to the next, points of the density in x."""

MAX_DIMENSION = 2

MOSTLY_NOISE = 10.0
"""Where sigma/alpha is larger than this half way, times are spaced evenly in ln t."""


def draw_paths(
    model: PluginSpec, process: PluginSpec, loaded: ScoreModel, like: Tensor
) -> Paths | None:
    """Draw the paths of a model under a process; None for a model that has no such picture.

    Args:
        model, process: the plugins.
        loaded: the model.
        like: any tensor of the device and dtype that it was loaded for.
    """
    exact = loaded.target.exact
    if exact is None or len(loaded.shape) != 1 or loaded.shape[0] > MAX_DIMENSION:
        return None
    return _paths(model, process, _Known(loaded, exact, like))


@dataclass(frozen=True, eq=False)
class _Known:
    """A loaded model with its closed form; told from others by identity, for the cache."""

    model: ScoreModel
    exact: ExactDistribution
    like: Tensor

    def denoise(self, y: Tensor, s: float) -> Tensor:
        """D(y; s), asked where the model is and in its dtype; the paths are on the CPU."""
        own = y.to(self.like)
        return self.model.alike()(own, torch.tensor(s, dtype=own.dtype, device=own.device)).to(y)

    def __hash__(self) -> int:
        return hash(self.model.weights)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.model.weights == self.model.weights


@lru_cache(maxsize=16)
def _paths(model: PluginSpec, process: PluginSpec, known: _Known) -> Paths:
    built = cast(NoiseProcess, process.build(registry_of([process.source])))
    times = _times(built, known.model)
    noise = NoiseStream(0, "sampler", 0, SHOWN, known.model.shape, torch.float64)
    forward = _forward(known.exact, times, noise)
    start = NoiseStream(0, "prior", 0, SHOWN, known.model.shape, torch.float64).normal()
    reverse = _backward(known, times, start, noise)
    flow = _backward(known, times, start, None)
    x = _window(torch.cat([forward, reverse, flow]))
    about = {
        "model": model.name,
        "model_params": model.changed.json,
        "process": process.name,
        "process_params": process.changed.json,
        "dimension": known.model.shape[0],
    }
    name = name_of(
        (model.name, model.params.json), known.model.weights, (process.name, process.params.json)
    )
    arrays: dict[str, Array] = {
        "about": np.array(canonical(about)),
        "t": np.array([time.t for time in times]),
        "x": x.numpy(),
        "density": _density(known.exact, times, x, known.model.shape[0]),
        "forward": forward.numpy().astype(np.float32),
        "reverse": reverse.numpy().astype(np.float32),
        "flow": flow.numpy().astype(np.float32),
    }
    return Paths(name, arrays)


def _times(process: NoiseProcess, model: ScoreModel) -> list[Time]:
    low, high = process.s_range
    first, last = process.at_s(max(low, model.s_min)), process.at_s(min(high, model.s_max))
    even = torch.linspace(0, 1, TIMES, dtype=torch.float64)
    if first.t > 0 and process.at((first.t + last.t) / 2).s > MOSTLY_NOISE:
        levels = first.t * (last.t / first.t) ** even
    else:
        levels = first.t + (last.t - first.t) * even
    inner = [process.at(float(t)) for t in levels[1:-1]]
    return [first, *inner, last]


def _forward(exact: ExactDistribution, times: Sequence[Time], noise: NoiseStream) -> Tensor:
    """Exact transitions of the forward SDE, which is linear, from exact samples."""
    first = times[0]
    x = first.alpha * exact.sample(SHOWN, 0) + first.sigma * noise.normal()
    seen = [x]
    for now, then in pairwise(times):
        keep = then.alpha / now.alpha
        spread = math.sqrt(max(0.0, then.sigma**2 - (keep * now.sigma) ** 2))
        x = keep * x + spread * noise.normal()
        seen.append(x)
    return _first_coordinate(seen)


def _backward(
    known: _Known, times: Sequence[Time], start: Tensor, noise: NoiseStream | None
) -> Tensor:
    """Ancestral steps with noise, DDIM's without, in y = x / alpha (Song et al. 2020, Eq. 12)."""
    y = times[-1].s * start
    seen = [times[-1].alpha * y]
    for now, then in pairwise(reversed(times)):
        for s, less in _between(now.s, then.s):
            d = known.denoise(y, s)
            if noise is None:
                y = d + (less / s) * (y - d)
            else:
                keep = (less / s) ** 2
                y = d + keep * (y - d) + less * math.sqrt(1 - keep) * noise.normal()
        seen.append(then.alpha * y)
    return _first_coordinate(seen[::-1])


def _between(s: float, less: float) -> Iterator[tuple[float, float]]:
    return pairwise(s * (less / s) ** (i / FINE) for i in range(FINE + 1))


def _first_coordinate(seen: Sequence[Tensor]) -> Tensor:
    return torch.stack([x[:, 0] for x in seen], dim=1)


def _window(paths: Tensor) -> Tensor:
    """Points for the density: even in arsinh, since VE's noise is far wider than its data."""
    reach = math.asinh(1.15 * float(paths.abs().max()))
    return torch.linspace(-reach, reach, LEVELS, dtype=torch.float64).sinh()


def _density(
    exact: ExactDistribution, times: Sequence[Time], x: Tensor, dimension: int
) -> npt.NDArray[np.uint8]:
    """p_t of the first coordinate, relative to its largest value at that time."""
    rows = []
    for time in times:
        if dimension == 1:
            density = exact.log_prob(x[:, None] / time.alpha, time.s).exp()
        else:
            grid = torch.cartesian_prod(x, x) / time.alpha
            joint = exact.log_prob(grid, time.s).exp().reshape(len(x), len(x))
            density = torch.trapezoid(joint, x, dim=1)
        rows.append(density / density.max().clamp_min(1e-300))
    return (torch.stack(rows) * 255).round().to(torch.uint8).numpy()
