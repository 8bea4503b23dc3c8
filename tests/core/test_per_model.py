"""Values that are kept for a model: computed once, as many as fit, gone with it."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field, replace

import torch

from bench.core.per_model import PerModel
from bench.core.target import ScoreModel
from bench.testing.plugins import model_of


@dataclass
class _Log:
    """Tensors of eight bytes for each name, and the names that were asked for."""

    asked: list[str] = field(default_factory=list)

    def compute(self, model: ScoreModel, name: str, size: int = 1) -> torch.Tensor:
        self.asked.append(name)
        return torch.zeros(size, dtype=torch.float64)


def _model() -> ScoreModel:
    return model_of("gaussian_mixture").load(torch.device("cpu"), torch.float64)


def test_values_are_computed_once_for_each_model_and_key() -> None:
    log, model = _Log(), _model()
    kept, other = PerModel(log.compute), replace(model)
    for _ in range(3):
        for name in "abcdefgh":  # more than a cache of four would hold
            kept(model, name)
    assert log.asked == list("abcdefgh")
    kept(other, "a")
    kept(model, "a", 2)
    assert log.asked[8:] == ["a", "a"]
    assert kept(model, "a", 2) is kept(model, "a", 2)


def test_what_was_used_longest_ago_goes_first() -> None:
    log, model = _Log(), _model()
    kept = PerModel(log.compute, limit=16)
    for name in "abacab":
        kept(model, name)
    assert log.asked == ["a", "b", "c", "b"]


def test_one_value_that_is_too_large_is_kept_alone() -> None:
    log, model = _Log(), _model()
    kept = PerModel(log.compute, limit=16)
    for name in "aabb":
        kept(model, name, 1000)
    assert log.asked == ["a", "b"]


def test_values_go_with_their_model() -> None:
    model, kept = _model(), PerModel(_Log().compute)
    kept(model, "a")
    assert len(kept._kept) == 1
    del model
    gc.collect()
    assert len(kept._kept) == 0
