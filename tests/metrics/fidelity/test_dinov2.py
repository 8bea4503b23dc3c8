"""DINOv2's features: timm's network stands for the authors' own, in torch-fidelity's extractor.

`data/dinov2_vits14.json` holds what torch-fidelity's extractor said when it had the authors'
network in it, with random weights; `random_state` and `photographs` make the same again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import Tensor

from bench.api import BenchError
from bench_plugins.fidelity.dinov2 import build_dinov2, timm_state
from bench_plugins.fidelity.fid import FrechetFeatures

NAME = "dinov2-vit-s-14"
KNOWN = Path(__file__).parent / "data" / "dinov2_vits14.json"


def random_state(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Weights by the authors' names, of a size that lets every part of the network be seen."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name in sorted(shapes):
        x = torch.randn(shapes[name], generator=generator)
        if ".norm" in f".{name}" and name.endswith("weight"):
            x = 1 + x / 10
        elif name.endswith("weight"):
            x = x / x[0].numel() ** 0.5
        elif "gamma" in name:
            x = 0.3 * x
        elif name.endswith("bias"):
            x = x / 10
        state[name] = x
    return state


def photographs() -> Tensor:
    """Three images of 32 x 32 pixels, uint8."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(3, 3, 5, 5, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=32, mode="nearest")
    return (smooth * 255).to(torch.uint8)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    with torch.device("meta"):
        network = timm.create_model("vit_small_patch14_dinov2", num_classes=0)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes["pos_embed"] == (1, 1 + 37**2, 384)
    return random_state({**shapes, "mask_token": (1, 384)})


def test_the_features_are_those_of_torch_fidelity_with_the_authors_network(
    state: dict[str, Tensor],
) -> None:
    known = json.loads(KNOWN.read_text())
    found = build_dinov2(NAME, state)(photographs())[0]
    scale = float(torch.tensor(known["norms"]).mean())
    torch.testing.assert_close(
        found[:, :8], torch.tensor(known["features"]), rtol=0, atol=1e-5 * scale / 384**0.5
    )
    torch.testing.assert_close(found.norm(dim=1), torch.tensor(known["norms"]), rtol=1e-6, atol=0)
    assert known["gap"] > 0.05 * scale  # else equal features would say nothing
    assert float((found[0] - found[1]).norm()) == pytest.approx(known["gap"], rel=1e-5)


def test_the_state_dict_is_not_changed(state: dict[str, Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in state.items()}
    build_dinov2(NAME, state)
    assert state.keys() == before.keys()
    assert all(torch.equal(state[name], before[name]) for name in before)


def test_the_giants_gates_have_timms_names() -> None:
    names = ["blocks.3.mlp.w12.weight", "blocks.3.mlp.w3.bias", "pos_embed"]
    found = timm_state({name: torch.zeros(1, 1 + 16**2, 4) for name in names})
    assert list(found) == ["blocks.3.mlp.fc1.weight", "blocks.3.mlp.fc2.bias", "pos_embed"]


def test_without_timm_the_remedy_is_named_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    own = tmp_path / "own.npz"
    np.savez(own, mu=np.zeros(384), sigma=np.eye(384))
    with pytest.raises(BenchError, match=r"pip install scorebench\[dinov2\]"):
        FrechetFeatures(extractor=NAME, against=str(own)).fingerprint()
