"""EDM's networks against the authors', by figures made outside of this repository."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig

CASES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "edm.json").read_text(encoding="utf-8")
)["networks"]


def _config(record: dict[str, Any]) -> EdmUnetConfig:
    return EdmUnetConfig(
        **{key: tuple(item) if isinstance(item, list) else item for key, item in record.items()}
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("title", list(CASES))
def test_outputs_are_the_authors(title: str, dtype: torch.dtype, rule_of: Any) -> None:
    case = CASES[title]
    rule = rule_of(case["seed"])
    network = EdmUnet(_config(case["config"])).double().eval()
    state = network.state_dict()
    assert rule.keys(state) == case["keys"]
    network.load_state_dict(rule.weights(state))
    network.to(dtype)
    x = rule.input((3, 3, 16, 16)).to(dtype)
    condition = torch.tensor(case["condition"], dtype=torch.float64)
    labels = None if case["classes"] is None else torch.eye(10)[case["classes"]]
    with torch.no_grad():
        found = rule.figures(network(x, condition, labels))
    scale = max(map(abs, case["output"]))
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert found == pytest.approx(case["output"], abs=tolerance * scale)


DDPMPP = EdmUnetConfig(augment_dim=9)
NCSNPP = replace(
    DDPMPP,
    embedding_type="fourier",
    channel_mult_noise=2,
    encoder_type="residual",
    resample_filter=(1, 3, 3, 1),
)
ADM = EdmUnetConfig(
    img_resolution=64,
    label_dim=1000,
    family="dhariwal",
    model_channels=192,
    channel_mult=(1, 2, 3, 4),
    num_blocks=3,
    attn_resolutions=(32, 16, 8),
)


@pytest.mark.parametrize(("config", "millions"), [(DDPMPP, 55.73), (NCSNPP, 56.40), (ADM, 295.9)])
def test_parameters_are_as_many_as_published(config: EdmUnetConfig, millions: float) -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in EdmUnet(config).parameters())
    assert count / 1e6 == pytest.approx(millions, rel=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"model_channels": 10},
        {"img_resolution": 30},
        {"channel_mult": ()},
        {"channel_mult": (0, 1)},
        {"resample_filter": (1, 2, 1)},
        {"num_blocks": 0},
        {"label_dim": -1},
        {"channel_mult_noise": 3},
    ],
)
def test_bad_sizes_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        EdmUnetConfig(**change)
