"""The kit's check `state`: what a plugin changes of its process, or writes into, is named."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from bench.api import (
    Measurement,
    Model,
    OdeSolver,
    SampleMetric,
    ScoreModel,
    Target,
    TimeGrid,
    UnsupportedError,
    combine,
)
from bench.core.plugin import Plugin
from bench.testing.conformance.finding import Nonconformity, NotApplicable
from bench.testing.conformance.state import Network, state_is_left_alone


@dataclass(frozen=True)
class Honest(OdeSolver[None]):
    """DDIM; sets a global switch and puts it back."""

    name: ClassVar[str] = "honest"
    reference: ClassVar[str] = "nobody"
    order: ClassVar[int] = 1

    def step(self, problem: Any, x: Tensor, now: Any, then: Any, state: None) -> Any:
        with torch.enable_grad():
            d = problem.denoise(x, now)
        keep = then.sigma / now.sigma
        return combine((keep, x), (then.alpha - keep * now.alpha, d)), None


@dataclass(frozen=True)
class Threads(Honest):
    def step(self, problem: Any, x: Tensor, now: Any, then: Any, state: None) -> Any:
        torch.set_num_threads(3)
        return super().step(problem, x, now, then, state)


@dataclass(frozen=True)
class Writes(Honest):
    def step(self, problem: Any, x: Tensor, now: Any, then: Any, state: None) -> Any:
        for network in [item for item in gc.get_objects() if type(item) is Network]:
            network.shift.data.add_(1)
        return super().step(problem, x, now, then, state)


@dataclass(frozen=True)
class Built(Honest):
    def __post_init__(self) -> None:
        nn.functional.gelu = nn.functional.relu  # type: ignore[assignment]


@dataclass(frozen=True)
class Refuses(Honest):
    def step(self, problem: Any, x: Tensor, now: Any, then: Any, state: None) -> Any:
        torch.set_default_dtype(torch.float64)
        raise UnsupportedError("not today")


@dataclass(frozen=True)
class Grid(TimeGrid):
    name: ClassVar[str] = "grid"
    reference: ClassVar[str] = "nobody"

    def times(self, process: Any, steps: int, s_min: float, s_max: float) -> Any:
        torch.backends.cudnn.deterministic = True
        return ()


def _drifting(weight: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    def call(y: Tensor, s: Tensor) -> Tensor:
        weight.add_(1)
        return y * weight

    return call


@dataclass(frozen=True)
class Drifts(Model):
    name: ClassVar[str] = "drifts"
    reference: ClassVar[str] = "nobody"

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        return ScoreModel(_drifting(torch.ones(2)), (2,), 0.01, 10.0, "none", Target("nothing"))


@dataclass(frozen=True)
class Measures(SampleMetric):
    name: ClassVar[str] = "measures"
    reference: ClassVar[str] = "nobody"
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "measures"

    def start(self, trial: Any) -> Any:
        return self

    def add(self, batch: Any) -> None:
        torch.backends.cuda.enable_math_sdp(False)

    def result(self) -> list[Measurement]:
        return [Measurement("measures", 1.0, "1", 1)]


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Threads, "torch.set_num_threads: 1 became 3"),
        (Writes, "1 of the model's tensors were written into"),
        (Built, "torch.nn.functional.gelu was replaced"),
        (Refuses, "torch.set_default_dtype: torch.float32 became torch.float64"),
        (Grid, "torch.backends.cudnn.deterministic: False became True"),
        (Drifts, "1 of the model's tensors were written into"),
        (Measures, "torch.backends.cuda.enable_math_sdp: True became False"),
    ],
)
def test_what_changes_is_named_and_undone(cls: type[Plugin], words: str) -> None:
    with pytest.raises(Nonconformity) as found:
        state_is_left_alone(cls)
    assert words in found.value.seen
    assert found.value.expected
    assert "finally" in found.value.remedy
    assert torch.get_default_dtype() == torch.float32
    assert nn.functional.gelu is not nn.functional.relu


def test_who_puts_everything_back_passes() -> None:
    state_is_left_alone(Honest)


@dataclass(frozen=True)
class Wary(Honest):
    def step(self, problem: Any, x: Tensor, now: Any, then: Any, state: None) -> Any:
        raise UnsupportedError("not today")


def test_a_refusal_that_changes_nothing_is_no_finding() -> None:
    with pytest.raises(NotApplicable, match="not today"):
        state_is_left_alone(Wary)
