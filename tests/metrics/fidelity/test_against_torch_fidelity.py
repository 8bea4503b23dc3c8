"""Our streamed numbers are those of torch-fidelity's own ``calculate_metrics``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelInception
from bench_plugins.fidelity.prc import PrecisionRecall
from bench_plugins.fidelity.weights import PublishedWeights

Photos = Callable[..., Tensor]
Measure = Callable[..., Any]
Saver = Callable[[str, Tensor], Path]


class _Images(Dataset[Tensor]):
    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        return self.images[i]


def _fidelity(
    extractor: str, weights: Path, samples: Tensor, real: Tensor, **options: Any
) -> dict[str, float]:
    result: dict[str, float] = calculate_metrics(
        input1=_Images(samples),
        input2=_Images(real),
        cuda=False,
        isc=True,
        fid=True,
        kid=True,
        prc=True,
        feature_extractor=extractor,
        feature_extractor_weights_path=str(weights),
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        **options,
    )
    return result


def _compare(found: dict[str, Any], known: dict[str, float], fid: float, kid: float) -> None:
    value = {name: number.value for name, number in found.items()}
    assert value["fid"] == pytest.approx(known["frechet_inception_distance"], rel=fid)
    assert value["kid"] == pytest.approx(known["kernel_inception_distance_mean"], rel=kid)
    assert value["kid_std"] == pytest.approx(known["kernel_inception_distance_std"], rel=100 * kid)
    assert value["inception_score"] == pytest.approx(known["inception_score_mean"], rel=1e-9)
    assert value["inception_score_std"] == pytest.approx(
        known["inception_score_std"], rel=1e-6, abs=1e-12
    )
    assert value["precision"] == known["precision"]
    assert value["recall"] == known["recall"]
    assert value["f_score"] == known["f_score"]


@pytest.mark.parametrize("batch", [64, 50])
def test_small_extractor(
    batch: int,
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
) -> None:
    samples, real = photos(300, 1), photos(400, 2)
    folder = str(save_folder("real", real))
    metrics = [
        FrechetInception(against=folder),
        KernelInception(against=folder, subsets=7, subset_size=120),
        InceptionScore(),
        PrecisionRecall(against=folder),
    ]
    known = _fidelity(
        tiny.extractor, tiny.asset.path, samples, real, kid_subsets=7, kid_subset_size=120
    )
    assert 0 < known["precision"] < 1
    assert 0 < known["recall"] < 1
    _compare(measure(metrics, samples, batch), known, fid=1e-9, kid=1e-9)


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict of Inception-v3 with random weights that keep the scale of their input."""
    with pytest.MonkeyPatch.context() as patch:
        download = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
        patch.setattr(download, lambda *_args, **_options: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_args: None)
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    generator = torch.Generator().manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.05, generator=generator)
    path = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "count"), [(3, 72), (1, 24)])
def test_random_inception(
    channels: int, count: int, inception: Path, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    # The features of so few images have singular covariances (of rank 71 in 2048 dimensions).
    # Its means in float32 and its float32 kernels are torch-fidelity's, and set the tolerances.
    samples, alike, unlike = (photos(count, seed, 32, channels) for seed in (1, 2, 3))
    real = torch.cat([alike[: count // 2], 255 - unlike[count // 2 :] // 2])
    folder, own = str(save_folder("real", real)), str(inception)
    metrics = [
        FrechetInception(against=folder, weights=own),
        KernelInception(against=folder, subsets=5, subset_size=20, weights=own),
        InceptionScore(splits=3, weights=own),
        PrecisionRecall(against=folder, weights=own),
    ]
    known = _fidelity(
        "inception-v3-compat",
        inception,
        samples.expand(-1, 3, -1, -1),
        real.expand(-1, 3, -1, -1),
        kid_subsets=5,
        kid_subset_size=20,
        isc_splits=3,
    )
    assert known["precision"] > 0
    _compare(measure(metrics, samples), known, fid=1e-6, kid=1e-4)
