"""Functions of users, importable by name, and runs of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    Draw,
    Model,
    Sampler,
    Stepper,
    generate,
)
from bench.testing import grid_of, model_of, process_of, stepper_of


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "samplers"))
    yield
    for name in ("friendly_samplers", "hostile_samplers", "range_samplers"):
        sys.modules.pop(name, None)


@dataclass(frozen=True)
class Samples:
    """Samples and what one of them cost."""

    x: Tensor
    nfe: float


@dataclass(frozen=True)
class Course:
    """A model, and the way from noise to its data."""

    model: Model
    process: str = "vp"
    grid: str = "karras"
    dtype: torch.dtype = torch.float64
    s_min: float = 0.01

    def run(
        self, stepper: Stepper[Any], steps: int = 8, count: int = 20, batch: int = 20
    ) -> Samples:
        """Samples of the host's loop, with its final denoise."""
        process = process_of(self.process)
        loaded = self.model.load(torch.device("cpu"), self.dtype)
        high = min(loaded.s_max, process.s_range[1])
        times = grid_of(self.grid).times(process, steps, max(self.s_min, loaded.s_min), high)
        counted = CountedDenoiser(loaded.alike())
        draw = Draw(3, count, batch, loaded.shape, self.dtype)
        with torch.no_grad():
            batches = generate(process, counted, Sampler(stepper), times, draw)
            x = torch.cat([part.x for part in batches])
        return Samples(x, counted.evaluations.nfe(count))


@pytest.fixture(scope="session")
def mixture() -> Model:
    """Closed-form points of the plane."""
    return model_of("gaussian_mixture")


@pytest.fixture(scope="session")
def network() -> Model:
    """A small network of images of digits."""
    return model_of("digits_mlp")


class Foreign:
    """What the tests of this folder share."""

    Course = Course

    @staticmethod
    def function(call: str, signature: str = "callable", **parameters: Any) -> Stepper[Any]:
        """The plugin `function` of a test's function."""
        place = "hostile_samplers" if signature == "hostile" else "friendly_samplers"
        name = "callable" if signature == "hostile" else signature
        return stepper_of("function", call=f"{place}:{call}", signature=name, **parameters)


@pytest.fixture(scope="session")
def foreign() -> type[Foreign]:
    """Runs, and the plugin of a function by name."""
    return Foreign
