"""PSNR, SSIM and LPIPS against other implementations, on images of a model that ships."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor, nn

from bench.api import Batch, BenchError, SampleMetric, UnsupportedError
from bench.testing.plugins import model_of
from bench_plugins.tasks import Inpainting, SuperResolution
from bench_plugins.truth import PeakSignalToNoise, PerceptualSimilarity, StructuralSimilarity
from bench_plugins.truth.images import structural_similarity
from bench_plugins.truth.vgg import SLICES

CPU = torch.device("cpu")
Make = Callable[..., Any]


def _images(n: int, channels: int, side: int, seed: int = 0) -> Tensor:
    """Smooth images in [-1, 1]."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((n, channels, side, side))
    smooth = scipy.ndimage.gaussian_filter(noise, 1.5, axes=(2, 3))
    return torch.from_numpy(np.tanh(4 * smooth))


def _measure(metric: SampleMetric, trial: Any, x: Tensor, batch: int = 1000) -> Any:
    accumulator = metric.start(trial)
    for first in range(0, len(x), batch):
        accumulator.add(Batch(first, x[first : first + batch]))
    (number,) = accumulator.result()
    return number


@pytest.fixture(scope="module")
def trial(make_trial: Make) -> Any:
    """6 questions of 2 images each."""
    model = model_of("mnist_unet").load(CPU, torch.float32)
    return make_trial(model, SuperResolution(draws=2), 12)


@pytest.fixture(scope="module")
def truth(trial: Any) -> Tensor:
    found: Tensor = trial.questions.of_samples(0, 0, 12).truth
    return found


def test_psnr_is_that_of_the_mean_squared_error(trial: Any, truth: Tensor) -> None:
    gaps = torch.linspace(0.02, 0.4, 12)
    x = truth - truth.sign() * gaps[:, None, None, None]  # stays within the range
    expected = torch.stack([20 * torch.log10(2 / gap) for gap in gaps]).mean()
    number = _measure(PeakSignalToNoise(), trial, x, batch=5)
    assert number.value == pytest.approx(float(expected), abs=1e-4)
    assert number.n == 6
    assert _measure(PeakSignalToNoise(), trial, truth).value == pytest.approx(100)


def test_images_are_clamped_to_the_range(trial: Any, truth: Tensor) -> None:
    beyond = torch.where(truth < -0.99, truth - 5, truth)
    for metric in (PeakSignalToNoise(), StructuralSimilarity()):
        one, other = _measure(metric, trial, beyond), _measure(metric, trial, beyond.clamp(-1, 1))
        assert one.value == other.value > 0.9


def _scipy_ssim(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    """Wang et al. 2004, Eq. 13, with scipy's filter; windows beyond the border are cut off."""

    def local(z: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        blurred = scipy.ndimage.gaussian_filter(z, 1.5, truncate=5 / 1.5, mode="constant")
        return np.asarray(blurred[5:-5, 5:-5])

    mx, my = local(x), local(y)
    vx, vy, cov = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    top = (2 * mx * my + c1) * (2 * cov + c2)
    return float((top / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


@pytest.mark.parametrize(("channels", "side"), [(1, 11), (1, 28), (3, 32)])
def test_ssim_is_scipys(channels: int, side: int) -> None:
    x, noise = _images(4, channels, side), _images(4, channels, side, seed=1)
    y = (0.8 * x + 0.2 * noise).clamp(-1, 1)
    found = structural_similarity(x, y)
    for i in range(4):
        each = [_scipy_ssim(x[i, c].numpy(), y[i, c].numpy()) for c in range(channels)]
        assert float(found[i]) == pytest.approx(np.mean(each), rel=1e-9)


def test_ssim_falls_with_noise(trial: Any, truth: Tensor) -> None:
    values = []
    for level in (0.0, 0.1, 0.3):
        noise = level * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
        values.append(_measure(StructuralSimilarity(), trial, truth + noise, batch=7).value)
    assert values[0] == pytest.approx(1)
    assert values[0] > values[1] > values[2] > 0


@pytest.mark.parametrize(
    "metric", [PeakSignalToNoise(), StructuralSimilarity()], ids=lambda metric: metric.name
)
def test_points_are_no_images(metric: SampleMetric, make_trial: Make) -> None:
    model = model_of("gaussian_mixture").load(CPU, torch.float64)
    with pytest.raises(UnsupportedError, match="is of images"):
        metric.start(make_trial(model, Inpainting(), 16))


def test_small_images_have_no_ssim(make_trial: Make) -> None:
    digits = make_trial(model_of("digits_mlp").load(CPU, torch.float32), Inpainting(), 16)
    with pytest.raises(UnsupportedError, match="windows of 11 pixels"):
        StructuralSimilarity().start(digits)
    with pytest.raises(UnsupportedError, match="16 pixels"):
        PerceptualSimilarity().start(digits)


# -- LPIPS


def _weights(folder: Path, widths: tuple[int, ...], seed: int = 0) -> tuple[str, str]:
    """Files of VGG-16 and of LPIPS's layers with random weights, of these widths."""
    generator = torch.Generator().manual_seed(seed)
    state, inputs = {}, 3
    for places, width in zip(SLICES, widths, strict=True):
        for i in places:
            kernel = torch.randn(width, inputs, 3, 3, generator=generator)
            state[f"features.{i}.weight"] = kernel * math.sqrt(2 / (9 * inputs))
            state[f"features.{i}.bias"] = 0.1 * torch.randn(width, generator=generator)
            inputs = width
    heads = {
        f"lin{i}.model.1.weight": torch.rand(1, width, 1, 1, generator=generator)
        for i, width in enumerate(widths)
    }
    torch.save(state, folder / "vgg.pth")
    torch.save(heads, folder / "lpips.pth")
    return str(folder / "vgg.pth"), str(folder / "lpips.pth")


@pytest.fixture
def narrow(tmp_path: Path) -> PerceptualSimilarity:
    vgg, layers = _weights(tmp_path, (4, 6, 8, 8, 8))
    return PerceptualSimilarity(weights=layers, vgg=vgg)


def test_lpips_of_equal_images_is_zero(
    narrow: PerceptualSimilarity, trial: Any, truth: Tensor
) -> None:
    assert _measure(narrow, trial, truth).value == 0
    noisy = truth + 0.3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    one, other = _measure(narrow, trial, noisy), _measure(narrow, trial, noisy, batch=5)
    assert one.value > 0.01
    assert one == other


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str, str]:
    """torch-fidelity's LPIPS with random weights, and the files of these."""
    module = pytest.importorskip("torch_fidelity.sample_similarity_lpips")
    widths = (64, 128, 256, 512, 512)
    vgg, layers = _weights(tmp_path, widths)
    state = torch.load(vgg, weights_only=True)
    blocks: list[nn.Module] = []
    inputs = 3
    for places, width in zip(SLICES, widths, strict=True):
        for i in places:
            layer = nn.Conv2d(inputs, width, 3, padding=1)
            layer.load_state_dict({k: state[f"features.{i}.{k}"] for k in ("weight", "bias")})
            blocks += [layer, nn.ReLU()]
            inputs = width
        blocks.append(nn.MaxPool2d(2))
    network = nn.Module()
    network.features = nn.Sequential(*blocks)
    monkeypatch.setattr(module, "torchvision_load_pretrained_vgg16", lambda: network)
    heads = torch.load(layers, weights_only=True)
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *_, **__: heads)
    return module.SampleSimilarityLPIPS("lpips-vgg16"), vgg, layers


@pytest.mark.parametrize(("channels", "side"), [(3, 32), (1, 28)])
def test_lpips_is_torch_fidelitys(theirs: tuple[Any, str, str], channels: int, side: int) -> None:
    from bench.api import file_sha256
    from bench_plugins.truth.vgg import load_network

    network, vgg, layers = theirs
    x, y = _images(3, channels, side).float(), _images(3, channels, side, seed=1).float()
    bytes_ = [((z + 1) * 127.5).expand(-1, 3, -1, -1) for z in (x, y)]
    expected = network(*bytes_).flatten()
    own = load_network(Path(vgg), file_sha256(Path(vgg)), Path(layers), file_sha256(Path(layers)))
    torch.testing.assert_close(own.distance(x, y), expected, rtol=1e-3, atol=1e-5)


def test_missing_weights_say_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    metric = PerceptualSimilarity()
    assert [asset.name for asset in metric.assets()] == ["vgg16-lpips-weights", "vgg16-weights"]
    with pytest.raises(BenchError, match=r"bench models fetch vgg16-lpips-weights"):
        metric.fingerprint()
    with pytest.raises(BenchError, match=r"weights 'nowhere\.pth'"):
        PerceptualSimilarity(weights="nowhere.pth").fingerprint()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: state.pop("features.5.bias"), "holds no 'features.5.bias'"),
        (lambda state: state.update({"features.2.weight": torch.zeros(4, 5, 3, 3)}), "no VGG-16"),
        (lambda state: state.update({"features.0.weight": 3}), "no state dict"),
    ],
)
def test_other_weights_are_refused(
    tmp_path: Path, trial: Any, truth: Tensor, spoil: Any, message: str
) -> None:
    vgg, layers = _weights(tmp_path, (4, 6, 8, 8, 8))
    state = torch.load(vgg, weights_only=True)
    spoil(state)
    torch.save(state, vgg)
    with pytest.raises(BenchError, match=message):
        _measure(PerceptualSimilarity(weights=layers, vgg=vgg), trial, truth)


def test_files_that_are_no_weights_are_refused(tmp_path: Path, trial: Any, truth: Tensor) -> None:
    vgg, layers = _weights(tmp_path, (4, 6, 8, 8, 8))
    Path(layers).write_bytes(b"no weights")
    with pytest.raises(BenchError, match="no plain PyTorch state dict"):
        _measure(PerceptualSimilarity(weights=layers, vgg=vgg), trial, truth)
    _weights(tmp_path, (4, 6, 8, 8, 16))
    wrong = _weights(tmp_path, (4, 6, 8, 8, 16))[1]
    content = Path(wrong).read_bytes()
    vgg, layers = _weights(tmp_path, (4, 6, 8, 8, 8))
    Path(layers).write_bytes(content)
    with pytest.raises(BenchError, match="16 channels where the network has 8"):
        _measure(PerceptualSimilarity(weights=layers, vgg=vgg), trial, truth)


def test_published_weights_are_the_same_under_any_name(narrow: PerceptualSimilarity) -> None:
    assert set(narrow.contents()) == {"weights", "vgg"}
    assert narrow.assets() == []
    assert len(narrow.fingerprint().split()) == 2
