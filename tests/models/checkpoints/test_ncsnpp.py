"""NCSN++ and DDPM++ against the authors' networks, by figures made outside of this repository."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp, NCSNppConfig

CASES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "score_sde.json").read_text(encoding="utf-8")
)


def _config(record: dict[str, Any]) -> NCSNppConfig:
    return NCSNppConfig(
        **{key: tuple(item) if isinstance(item, list) else item for key, item in record.items()}
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("title", list(CASES))
def test_outputs_are_the_authors(title: str, dtype: torch.dtype, rule_of: Any) -> None:
    case = CASES[title]
    rule = rule_of(case["seed"])
    network = NCSNpp(_config(case["config"])).double().eval()
    state = network.state_dict()
    assert rule.keys(state) == case["keys"]
    network.load_state_dict(rule.weights(state))
    network.to(dtype)
    side = case["config"]["image_size"]
    x = rule.input((3, 3, side, side)).to(dtype)
    condition = torch.tensor(case["condition"], dtype=torch.float64)
    with torch.no_grad():
        found = rule.figures(network(x, condition))
    scale = max(map(abs, case["output"]))
    # 1e-5 is asked for; the convolutions of float32 leave up to a fifth of it.
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert found == pytest.approx(case["output"], abs=tolerance * scale)


@pytest.mark.parametrize("title", list(CASES))
def test_moving_averages_come_in_the_order_of_the_parameters(title: str) -> None:
    network = NCSNpp(_config(CASES[title]["config"]))
    names = [name for name, p in network.named_parameters() if p.requires_grad]
    assert hashlib.sha256("\n".join(names).encode()).hexdigest() == CASES[title]["trained"]


NCSNPP = NCSNppConfig()
DDPMPP = NCSNppConfig(
    embedding="positional",
    fir=False,
    progressive_input="none",
    scale_by_sigma=False,
    centered=True,
)


@pytest.mark.parametrize(
    ("config", "millions"),
    [
        (NCSNPP, 62.76),
        (replace(NCSNPP, num_res_blocks=8), 107.59),
        (DDPMPP, 61.80),
        (replace(DDPMPP, num_res_blocks=8), 106.63),
    ],
)
def test_parameters_are_as_many_as_published(config: NCSNppConfig, millions: float) -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in NCSNpp(config).parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


def test_a_batch_may_have_one_condition() -> None:
    config = NCSNppConfig(image_size=8, nf=8, ch_mult=(1, 1), num_res_blocks=1)
    network = NCSNpp(config).eval()
    x = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, each = network(x, torch.tensor([2.0])), network(x, torch.full((3,), 2.0))
    assert torch.allclose(one, each, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"nf": 10},
        {"image_size": 30, "ch_mult": (1, 1, 1)},
        {"ch_mult": ()},
        {"ch_mult": (0, 1)},
        {"fir_taps": (1, 2, 1)},
        {"fir_taps": (1, 2)},
        {"sigma_min": 0.0},
        {"num_scales": 1},
        {"num_res_blocks": 0},
        {"progressive": "residual"},
        {"resblock": "ddpm"},
    ],
)
def test_bad_sizes_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|not known|needs"):
        NCSNppConfig(**change)
