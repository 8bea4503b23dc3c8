"""Files of weights: round trips, and files that are not what they should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.api import BenchError, TrainingRecord
from bench_plugins.metrics.classifier import SmallClassifier, load_classifier
from bench_plugins.models.networks.files import Metadata, load_network, save_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import Preconditioning

SIZES = MLPConfig(sample=(1, 4, 4), width=8, blocks=1, embedding=8, features=4)
TRAINING = TrainingRecord(
    s_range=(0.002, 80.0),
    data="toy",
    levels=8,
    data_sha256="00",
    images=160,
    recipe={"command": "bench train", "identity": "..."},
    licence="none",
)
METADATA = Metadata(SIZES, Preconditioning(0.6, -0.1), TRAINING)


@pytest.fixture
def path(denoiser: nn.Module, tmp_path: Path) -> Path:
    file = tmp_path / "weights.safetensors"
    save_network(file, denoiser, METADATA)
    return file


def _rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The same tensors with another description."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    record = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["bench"])
    change(record)
    save_file(load_file(path), path, metadata={"bench": json.dumps(record)})


def test_round_trip(path: Path, denoiser: nn.Module) -> None:
    loaded, metadata = load_network(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert metadata == replace(METADATA, sha256=digest)
    y, s = torch.randn(3, 1, 4, 4), torch.tensor([0.1, 1.0, 10.0])
    with torch.no_grad():
        assert torch.equal(loaded(y, s), denoiser.eval()(y, s))
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_round_trip_of_a_classifier(tmp_path: Path) -> None:
    plugin = SmallClassifier((4, 8))
    classifier = plugin.build((1, 8, 8), 17).eval()
    images = torch.randint(0, 17, (5, 1, 8, 8), dtype=torch.uint8)
    path = tmp_path / "classifier.safetensors"
    plugin.save(path, classifier, TRAINING)
    loaded, digest = load_classifier(path)
    assert loaded.config == classifier.config
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    # Loaded networks are channels-last, which may change the last bits of convolutions.
    torch.testing.assert_close(loaded.features(images), classifier.features(images).detach())


def test_a_score_model_is_no_classifier(path: Path) -> None:
    with pytest.raises(BenchError, match="holds a network of the kind 'mlp'"):
        load_classifier(path)


def test_writing_leaves_no_partial_file(path: Path) -> None:
    assert [file.name for file in path.parent.iterdir()] == ["weights.safetensors"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"none\.safetensors: cannot read .* reinstall"):
        load_network(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_file(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BenchError, match="damaged or foreign weights"):
        load_network(path)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(BenchError, match="no readable safetensors file"):
        load_network(path)


def test_foreign_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(BenchError, match="lacks the entry 'bench'"):
        load_network(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(kind="transformer"),
        lambda record: record.pop("network"),
        lambda record: record["network"].update(depth=3),
        lambda record: record["preconditioning"].update(sigma_data=-1.0),
        lambda record: record.pop("levels"),
        lambda record: record.update(network=5),
    ],
    ids=["kind", "no network", "unknown size", "bad value", "no levels", "no mapping"],
)
def test_wrong_description(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    _rewrite(path, change)
    with pytest.raises(BenchError, match="its description is wrong"):
        load_network(path)


def test_newer_descriptions_may_say_more(path: Path) -> None:
    _rewrite(path, lambda record: record.update(remark="new"))
    assert load_network(path)[1].training.data == "toy"


def test_tensors_of_another_shape(path: Path) -> None:
    _rewrite(path, lambda record: record["network"].update(width=16))
    with pytest.raises(BenchError, match="do not fit"):
        load_network(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("network.stem.weight"),
        lambda tensors: tensors.update(extra=torch.zeros(1)),
    ],
    ids=["missing", "unexpected"],
)
def test_tensors_of_another_set(path: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size])["__metadata__"]
    change(tensors)
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(BenchError, match="tensors missing"):
        load_network(path)
