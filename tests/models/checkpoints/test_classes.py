"""What a user may ask of the classes of a conditional checkpoint."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import NO_CLASS, BenchError, Conditional, Model
from bench.registry import build
from bench_plugins.checkpoints.classes import Choice
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.k_diffusion import KDiffusion


def _network(y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
    return y


def test_balanced_is_handed_on() -> None:
    found = Choice("balanced").of(_network, 4, True, "here")
    assert isinstance(found, Conditional)
    assert (found.label, found.balanced, found.plain) == (None, True, True)
    labels = found.labels(0, 0, 40, torch.device("cpu"))
    assert labels.bincount().tolist() == [10] * 4
    drawn = Choice(None).of(_network, 4, True, "here")
    assert isinstance(drawn, Conditional)
    assert not drawn.balanced


def test_balanced_needs_classes() -> None:
    with pytest.raises(BenchError, match="here: balanced classes were asked, but it knows no"):
        Choice("balanced").of(_network, 0, True, "here")


@pytest.mark.parametrize("model", [Edm, DiffusersUnet, KDiffusion])
def test_all_conditional_models_take_it(model: type[Model]) -> None:
    for label in (None, 0, 7, NO_CLASS, "balanced"):
        assert getattr(build(model, {"label": label}), "label") == label  # noqa: B009
    for other in ("evenly", 1.5, True, -2, [1]):
        given: dict[str, Any] = {"label": other}
        with pytest.raises(BenchError, match=r"^label.*balanced") as caught:
            build(model, given)
        assert "label.int" not in str(caught.value)
