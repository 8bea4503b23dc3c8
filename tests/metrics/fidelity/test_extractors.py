"""Other extractors than Inception-v3: names that say which, and one pass for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from bench.api import BenchError, Trial
from bench_plugins.fidelity.extractors import load_extractor
from bench_plugins.fidelity.fid import FrechetFeatures, FrechetInception
from bench_plugins.fidelity.fid_infinity import FeaturesInfinity, FrechetInfinity
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelFeatures, KernelInception
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION, build_plain
from bench_plugins.fidelity.metric import FeatureMetric
from bench_plugins.fidelity.prc import PrecisionRecall
from bench_plugins.fidelity.weights import find_weights

Photos = Callable[..., Tensor]
Measure = Callable[..., Any]
Saver = Callable[[str, Tensor], Path]
Trials = Callable[..., Trial]
CLIP = "clip-vit-b-32"


def test_all_of_torch_fidelitys_extractors_are_known() -> None:
    own = ("scorebench-",)
    assert set(EXTRACTORS) == {n for n in FEATURE_EXTRACTORS_REGISTRY if not n.startswith(own)}
    assert all(len(kind.published.asset.sha256) == 64 for kind in EXTRACTORS.values())
    assert len({kind.published.asset.file for kind in EXTRACTORS.values()}) == len(EXTRACTORS)


def test_names_say_the_extractor(
    other: Path, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    against = str(save_folder("real", photos(120, 2)))
    few: dict[str, int] = {"subsets": 3, "subset_size": 50}
    metrics: list[FeatureMetric] = [
        FrechetInception(against=against),
        FrechetFeatures(against=against, extractor=CLIP),
        KernelInception(against=against, **few),  # type: ignore[arg-type]
        KernelFeatures(against=against, extractor=CLIP, **few),  # type: ignore[arg-type]
        FrechetInfinity(against=against, smallest=60),
        FeaturesInfinity(against=against, extractor=CLIP, smallest=60),
        PrecisionRecall(against=against),
        PrecisionRecall(against=against, extractor=CLIP),
    ]
    found = measure(metrics, photos(150, 1))
    plain = {"fid", "kid", "kid_std", "fid_infinity", "precision", "recall", "f_score"}
    clip = {
        "fd_clip_vit_b_32",
        "kd_clip_vit_b_32",
        "kd_clip_vit_b_32_std",
        "fd_infinity_clip_vit_b_32",
        "precision_clip_vit_b_32",
        "recall_clip_vit_b_32",
        "f_score_clip_vit_b_32",
    }
    assert found.keys() == plain | clip
    assert found["fd_clip_vit_b_32"].value != found["fid"].value
    assert found["fd_clip_vit_b_32"].reference != found["fid"].reference
    # The same metric of the same features has the same value, whatever its name.
    swapped = FrechetInception(against=against, weights=str(other))
    value = measure([swapped], photos(150, 1))["fid"].value
    assert value == found["fd_clip_vit_b_32"].value


def test_each_extractor_sees_each_sample_once(
    other: Path, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    against = str(save_folder("real", photos(100, 2)))
    metrics: list[FeatureMetric] = [
        FrechetInception(against=against),
        FrechetFeatures(against=against, extractor=CLIP),
        PrecisionRecall(against=against),
        PrecisionRecall(against=against, extractor=CLIP),
        InceptionScore(),
    ]
    measure(metrics, photos(130, 1))
    for name in (INCEPTION, CLIP):
        kind = EXTRACTORS[name]
        seen = load_extractor(kind, find_weights(kind.published, None), torch.device("cpu"))
        assert sum(seen.network.seen) == 100 + 130


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (FrechetInception, "FID means .* the metric `fd`"),
        (FrechetInfinity, "FID means .* the metric `fd_infinity`"),
        (KernelInception, "KID means .* the metric `kd`"),
        (InceptionScore, "classes are those of inception-v3-compat"),
    ],
)
def test_fid_means_inception(metric: type[FeatureMetric], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric(extractor=CLIP)


@pytest.mark.parametrize("metric", [FrechetFeatures, FeaturesInfinity, KernelFeatures])
def test_inceptions_distances_have_one_name(metric: type[FeatureMetric]) -> None:
    with pytest.raises(ValueError, match=r"it is called `[fk]id"):
        metric(extractor=INCEPTION)
    with pytest.raises(ValueError, match="extractor must be one of inception-v3-compat, vgg16, "):
        metric(extractor="resnet50")


@pytest.mark.parametrize("name", ["vgg16", CLIP, "dinov2-vit-l-14"])
def test_missing_weights_say_what_to_fetch(
    name: str, cache: Path, photos: Photos, save_folder: Saver
) -> None:
    asset, against = EXTRACTORS[name].published.asset, str(save_folder("real", photos(2, 1)))
    with pytest.raises(BenchError) as caught:
        FrechetFeatures(extractor=name, against=against).fingerprint()
    assert asset.url in str(caught.value)
    assert str(cache / asset.file) in str(caught.value)


@pytest.mark.parametrize("name", [CLIP, "clip-rn50", "dinov2-vit-s-14"])
def test_weights_of_another_network_are_refused(
    name: str, trial_of: Trials, tmp_path: Path, photos: Photos, save_folder: Saver
) -> None:
    own = tmp_path / "own.pth"
    torch.save({"visual.proj": torch.zeros(3, 4), "pos_embed": torch.zeros(1, 1, 4)}, own)
    metric = FrechetFeatures(
        extractor=name, weights=str(own), against=str(save_folder("real", photos(3, 1)))
    )
    with pytest.raises(BenchError, match=f"the weights do not fit '{name}'.*fetch https://"):
        metric.start(trial_of(photos(64, 1)))


def test_moments_in_other_features_are_taken_as_they_are(
    other: Path, tmp_path: Path, photos: Photos, measure: Measure
) -> None:
    own = tmp_path / "stats.npz"
    np.savez(own, mu=np.zeros(16), sigma=np.eye(16))
    metric = FrechetFeatures(against=str(own), extractor=CLIP)
    assert measure([metric], photos(80, 1)).keys() == {"fd_clip_vit_b_32"}
    np.savez(own, mu=np.zeros(17), sigma=np.eye(17))
    with pytest.raises(BenchError, match="the extractor has 16 features"):
        measure([metric], photos(80, 1))


@pytest.mark.slow
def test_vgg16_is_torch_fidelitys(tmp_path: Path, photos: Photos) -> None:
    import torchvision

    torch.manual_seed(0)
    own = tmp_path / "vgg16.pth"
    state = torchvision.models.vgg16().state_dict()
    torch.save(state, own)
    images = photos(3, 1, 32)
    (known,) = FeatureExtractorVGG16("vgg16", ["fc2_relu"], str(own))(images)
    (found,) = build_plain("vgg16", state)(images)
    assert float(known.std()) > 0
    assert torch.equal(found, known)
