"""Weights are found by name, verified, and read without running anything."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

from bench.api import BenchError, Trial
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.weights import INCEPTION_V3, PublishedWeights, find_weights

Trials = Callable[..., Trial]
IMAGES = torch.zeros(64, 3, 16, 16, dtype=torch.uint8)


def test_the_published_file_is_torch_fidelitys() -> None:
    asset = INCEPTION_V3.asset
    assert asset.url == URL_INCEPTION_V3
    assert asset.url.endswith(f"/{asset.path.name}")
    # torch.hub's convention: the first digits of the sha256 stand at the end of the name.
    assert asset.path.stem.endswith(f"-{asset.sha256[:8]}")
    assert len(asset.sha256) == 64


def test_a_missing_file_says_what_to_fetch_and_where_to_put_it(cache: Path) -> None:
    with pytest.raises(BenchError) as caught:
        InceptionScore().fingerprint()
    assert INCEPTION_V3.asset.url in str(caught.value)
    assert str(cache / INCEPTION_V3.asset.file) in str(caught.value)
    assert "BENCH_CACHE" in str(caught.value)


def test_a_damaged_file_is_refused(tiny: PublishedWeights) -> None:
    content = bytearray(tiny.asset.path.read_bytes())
    content[len(content) // 2] ^= 1
    tiny.asset.path.write_bytes(bytes(content))
    with pytest.raises(
        BenchError, match=r"sha256 is .* `bench models fetch tiny`.* delete it and fetch https://"
    ):
        find_weights(tiny, None)


def test_a_truncated_file_of_ones_own_is_refused(
    tiny: PublishedWeights, trial_of: Trials, tmp_path: Path
) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(tiny.asset.path.read_bytes()[:-200])
    with pytest.raises(BenchError, match=r"own\.pth: is no plain PyTorch state dict"):
        InceptionScore(weights=str(own)).start(trial_of(IMAGES))


def test_a_missing_file_of_ones_own_is_named(tiny: PublishedWeights) -> None:
    with pytest.raises(BenchError, match=r"'no\.pth'.*name a file of weights"):
        InceptionScore(weights="no.pth").fingerprint()


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(
    zipped: bool, tiny: PublishedWeights, trial_of: Trials, tmp_path: Path
) -> None:
    own, run = tmp_path / "own.pth", tmp_path / "run"
    if zipped:
        torch.save({"features.weight": _Bomb(run)}, own)
    else:
        own.write_bytes(pickle.dumps({"features.weight": _Bomb(run)}))
    with pytest.raises(BenchError, match="was not loaded"):
        InceptionScore(weights=str(own)).start(trial_of(IMAGES))
    assert not run.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": torch.zeros(1)}, "do not fit 'scorebench-tiny'"),
        ({"features.weight": 3}, "holds no state dict"),
        ([torch.zeros(1)], "holds no state dict"),
    ],
)
def test_weights_of_something_else_are_refused(
    content: object, message: str, tiny: PublishedWeights, trial_of: Trials, tmp_path: Path
) -> None:
    own = tmp_path / "own.pth"
    torch.save(content, own)
    with pytest.raises(BenchError, match=message):
        InceptionScore(weights=str(own)).start(trial_of(IMAGES))


def test_the_weights_are_part_of_the_key(tiny: PublishedWeights, tmp_path: Path) -> None:
    state: dict[str, Tensor] = torch.load(tiny.asset.path, weights_only=True)
    own = tmp_path / "own.pth"
    torch.save({name: tensor + 1 for name, tensor in state.items()}, own)
    assert InceptionScore(weights=str(own)).fingerprint() != InceptionScore().fingerprint()
    same = tmp_path / "same.pth"
    same.write_bytes(tiny.asset.path.read_bytes())
    assert InceptionScore(weights=str(same)).fingerprint() == InceptionScore().fingerprint()


def test_samples_that_are_no_images_of_bytes_are_unsupported(
    tiny: PublishedWeights, trial_of: Trials
) -> None:
    with pytest.raises(BenchError, match="17 integer levels"):
        InceptionScore().start(trial_of(IMAGES, 17))
    with pytest.raises(BenchError, match=r"shape \(1 or 3, H, W\)"):
        InceptionScore().start(trial_of(IMAGES[:, :2]))
    exact = trial_of(IMAGES)
    target = replace(exact.model.target, discrete=None)
    with pytest.raises(BenchError, match="'toy', which has no integer levels"):
        InceptionScore().start(replace(exact, model=replace(exact.model, target=target)))
    with pytest.raises(BenchError, match="at least 10 samples, not 3"):
        InceptionScore().start(trial_of(IMAGES[:3]))
