"""The nature of a scheduler, measured on a model that costs nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from bench.api import NoiseStream
from bench_plugins.diffusers_schedulers.recipe import Recipe, RecipeKey
from bench_plugins.diffusers_schedulers.trajectory import Trajectory

_SHAPE = (1, 2, 2)
_S_MAX = 100.0
_ROUND_OFF = 1e-4
"""Of the schedulers' float32, relative."""


@dataclass(frozen=True)
class Nature:
    """Attributes of a scheduler, as measured.

    Attributes:
        draws: it draws noise, used or not.
        stochastic: other noise gives other samples.
        coupled: a sample depends on the others of its batch.
    """

    draws: bool
    stochastic: bool
    coupled: bool


def nature_of(recipe: Recipe, arguments: Mapping[str, Any], steps: int) -> Nature:
    """Of the scheduler of ``recipe`` with further ``arguments`` of `step`.

    Raises:
        UnsupportedError: it does not run.
    """
    return _nature(recipe.key, json.dumps(arguments, sort_keys=True), steps)


@lru_cache(maxsize=256)
def _nature(key: RecipeKey, arguments: str, steps: int) -> Nature:
    recipe, told = key.recipe, json.loads(arguments)
    walk = recipe.walk(steps)

    def end(seed: int, count: int) -> tuple[Tensor, list[str]]:
        way = Trajectory.prepare(recipe, told, walk, torch.device("cpu"), _S_MAX)
        s = walk.levels[0]
        scale = 1.0 if math.isinf(s) else way.conventions.scale(s) * s
        start = NoiseStream(0, "prior", 0, count, _SHAPE).normal() * scale
        noise = NoiseStream(seed, "probe", 0, count, _SHAPE)
        with torch.no_grad():
            return way.run(start, _bent, noise.normal)

    (three, draws), (other, _), (one, _) = end(0, 3), end(1, 3), end(0, 1)
    return Nature(bool(draws), _gap(three, other) > 0, _gap(three[:1], one) > _ROUND_OFF)


def _bent(y: Tensor, s: Tensor) -> Tensor:
    """E[x_0 | y] of two points, -1 and 1: what acts on a batch as a whole shows."""
    return torch.tanh(y / (0.3 + s * s))


def _gap(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / (1e-30 + other.abs().max()))
