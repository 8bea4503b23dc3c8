"""The files that ship: what the model card says of them, and that they are any good."""

from __future__ import annotations

import hashlib
import json
import math
import re
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from bench.api import HELD_OUT, HELD_OUT_LABELS, NO_CLASS, load_tensors, read_weights
from bench_plugins.metrics.classifier import load_classifier
from bench_plugins.models.networks.files import load_network
from bench_plugins.models.noisy_classifier import NOISY_CLASSIFIERS, load_noisy_classifier
from bench_train.data import dequantise, generator_of
from bench_train.sources import digits

MODELS = Path(str(resources.files("bench_plugins.models"))) / "data"
METRICS = Path(str(resources.files("bench_plugins.metrics"))) / "data"
FILES = [
    MODELS / "mnist_unet.safetensors",
    HELD_OUT["mnist"],
    MODELS / "digits_mlp.safetensors",
    MODELS / "digits_mlp_deep.safetensors",
    HELD_OUT["digits"],
    METRICS / "mnist_classifier.safetensors",
    METRICS / "mnist_reference.safetensors",
    METRICS / "digits_classifier.safetensors",
    METRICS / "digits_reference.safetensors",
    *HELD_OUT_LABELS.values(),
    HELD_OUT["cifar10_jpeg"],
    MODELS / "mnist_unet_classes.safetensors",
    MODELS / "cifar10_jpeg_unet.safetensors",
    *NOISY_CLASSIFIERS.values(),
    METRICS / "mnist_class_reference.safetensors",
    METRICS / "mnist_judge.safetensors",
    METRICS / "cifar10_jpeg_classifier.safetensors",
    METRICS / "cifar10_jpeg_reference.safetensors",
    METRICS / "cifar10_jpeg_class_reference.safetensors",
    METRICS / "cifar10_jpeg_judge.safetensors",
]
NETWORKS = {"digits": "digits_mlp", "mnist": "mnist_unet"}


def _record(path: Path) -> dict[str, object]:
    with safe_open(path, framework="pt") as file:
        record: dict[str, object] = json.loads(file.metadata()["bench"])
    return record


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_model_card_lists_the_file_with_its_hash(path: Path) -> None:
    card = (MODELS / "WEIGHTS.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([\w.]+)` \| `([0-9a-f]{64})` \|", card, flags=re.MULTILINE))
    assert listed[path.name] == _digest(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_small_and_names_its_licence(path: Path) -> None:
    assert path.stat().st_size <= 4_000_000
    wanted = "CIFAR-10: A. Krizhevsky 2009" if "cifar10" in path.name else "CC BY"
    assert wanted in str(_record(path)["licence"])


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_networks_denoise_what_they_have_not_seen(data: str) -> None:
    network, metadata = load_network(MODELS / f"{NETWORKS[data]}.safetensors")
    samples = load_file(HELD_OUT[data])["samples"][:128]
    generator = generator_of(0)
    x_0 = dequantise(
        samples, metadata.training.levels, torch.rand(samples.shape, generator=generator)
    )
    variance = metadata.preconditioning.sigma_data**2
    for s in (0.1, 0.5, 2.0):
        y = x_0 + s * torch.randn(x_0.shape, generator=generator)
        error = float((network(y, torch.tensor(s)) - x_0).square().mean())
        gaussian = variance * s**2 / (variance + s**2)  # of the best denoiser blind to shapes
        assert error < 0.8 * gaussian


@pytest.mark.parametrize("network", NETWORKS.values())
def test_threads_do_not_change_a_bit(network: str) -> None:
    denoiser, metadata = load_network(MODELS / f"{network}.safetensors")
    samples = load_file(HELD_OUT[metadata.training.data])["samples"][:64]
    y, results = samples.float() * (2 / metadata.training.levels) - 1, []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        results.append(denoiser(y, torch.tensor(0.8)))
    torch.set_num_threads(before)
    assert torch.equal(*results)


@pytest.mark.parametrize("data", ["digits", "mnist", "cifar10_jpeg"])
def test_statistics_belong_to_the_extractor(data: str) -> None:
    path = METRICS / f"{data}_reference.safetensors"
    record, statistics = _record(path), load_file(path)
    assert record["extractor_sha256"] == _digest(METRICS / f"{data}_classifier.safetensors")
    assert record["n"] == {"digits": 1797, "mnist": 60_000, "cifar10_jpeg": 50_000}[data]
    covariance = statistics["covariance"]
    assert covariance.dtype is torch.float64
    assert torch.equal(covariance, covariance.T) or torch.allclose(covariance, covariance.T)
    assert float(torch.linalg.eigvalsh(covariance).min()) > -1e-9


@pytest.mark.parametrize(
    ("data", "least"), [("digits", 0.97), ("mnist", 0.991), ("cifar10_jpeg", 0.8)]
)
def test_extractors_know_the_test_set(data: str, least: float) -> None:
    record = read_weights(METRICS / f"{data}_classifier.safetensors").record
    assert record["recipe"]["test_accuracy"] > least


@pytest.mark.parametrize("data", ["mnist", "cifar10_jpeg"])
def test_moments_of_the_classes_make_up_those_of_all(data: str) -> None:
    whole = load_file(METRICS / f"{data}_reference.safetensors")
    parts = load_file(METRICS / f"{data}_class_reference.safetensors")
    count, mean = parts["n"].double(), parts["mean"].double()
    centre = (count[:, None] * mean).sum(dim=0) / count.sum()
    torch.testing.assert_close(centre, whole["mean"], rtol=1e-5, atol=1e-5)
    between = torch.einsum("k,ki,kj->ij", count, mean - centre, mean - centre)
    within = ((count - 1)[:, None, None] * parts["covariance"].double()).sum(dim=0)
    covariance = (within + between) / (count.sum() - 1)
    torch.testing.assert_close(covariance, whole["covariance"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("data", "least"), [("mnist", 0.98), ("cifar10_jpeg", 0.7)])
def test_classifiers_know_the_held_out_classes(data: str, least: float) -> None:
    classifier, _ = load_classifier(METRICS / f"{data}_classifier.safetensors")
    found = classifier(load_tensors(HELD_OUT[data])["samples"]).argmax(dim=1)
    labels = load_tensors(HELD_OUT_LABELS[data])["labels"]
    assert labels.dtype is torch.int64
    assert float((found == labels).double().mean()) > least


@pytest.mark.parametrize("name", ["mnist_unet_classes", "cifar10_jpeg_unet"])
def test_the_true_class_denoises_better_than_another(name: str) -> None:
    network, metadata = load_network(MODELS / f"{name}.safetensors")
    data = metadata.training.data
    samples = load_tensors(HELD_OUT[data])["samples"][:128]
    labels = load_tensors(HELD_OUT_LABELS[data])["labels"][:128]
    generator = generator_of(0)
    x_0 = dequantise(samples, 256, torch.rand(samples.shape, generator=generator))
    y = x_0 + 3.0 * torch.randn(x_0.shape, generator=generator)

    def loss(classes: Tensor) -> float:
        return float((network(y, torch.full((128,), 3.0), classes) - x_0).square().mean())

    true, none = loss(labels), loss(torch.full_like(labels, NO_CLASS))
    others = [loss((labels + shift) % 10) for shift in (1, 5)]
    assert true < none
    assert none < min(others)


@pytest.mark.parametrize("data", NOISY_CLASSIFIERS)
def test_noisy_classifiers_know_the_held_out_classes(data: str) -> None:
    classifier = load_noisy_classifier(data, torch.device("cpu"), torch.float32)
    samples = load_tensors(HELD_OUT[data])["samples"]
    labels = load_tensors(HELD_OUT_LABELS[data])["labels"]
    generator = generator_of(0)
    x_0 = dequantise(samples, 256, torch.rand(samples.shape, generator=generator))
    nll = []
    for s in (0.01, 1.0, 5.0, 80.0):
        y = x_0 + s * torch.randn(x_0.shape, generator=generator)
        log_probs = classifier.log_probs(y, torch.tensor(s))
        nll.append(float(-log_probs.gather(1, labels[:, None]).mean()))
    assert nll == sorted(nll)
    assert nll[0] < {"mnist": 0.1, "cifar10_jpeg": 1.2}[data]
    assert abs(nll[-1] - math.log(10)) < 0.05  # all that is left there is the prior


def test_held_out_digits_are_those_of_the_split() -> None:
    split = digits()
    _, metadata = load_network(MODELS / "digits_mlp.safetensors")
    assert metadata.training.data_sha256 == split.training.digest
    held_out = load_file(HELD_OUT["digits"])["samples"]
    assert torch.equal(held_out, split.test.samples)


def test_digits_sampled_by_heun_look_like_digits_to_the_extractor() -> None:
    network, _ = load_network(MODELS / "digits_mlp.safetensors")
    extractor, _ = load_classifier(METRICS / "digits_classifier.safetensors")
    reference = load_file(METRICS / "digits_reference.safetensors")
    samples = _heun(lambda y, s: network(y, torch.tensor(s)), torch.Size([1000, 1, 8, 8]))
    levels = ((samples + 1) * 8.5).floor().clamp(0, 16).to(torch.uint8)
    features = extractor.features(levels).double()
    distance = _frechet(features, reference["mean"], reference["covariance"])
    assert distance < 10.0  # noise: 350; half of the digits against the other half: 1 to 2


def _heun(denoise: object, shape: torch.Size, steps: int = 18) -> Tensor:
    """EDM's deterministic sampler, Karras et al. 2022 (arXiv:2206.00364), algorithm 1."""
    assert callable(denoise)
    ramp = torch.linspace(80.0 ** (1 / 7), 0.002 ** (1 / 7), steps)
    levels = [float(level) ** 7 for level in ramp]
    y: Tensor = levels[0] * torch.randn(shape, generator=generator_of(1))
    for now, then in pairwise(levels):
        slope = (y - denoise(y, now)) / now
        trial = y + (then - now) * slope
        y = y + (then - now) * (slope + (trial - denoise(trial, then)) / then) / 2
    result: Tensor = denoise(y, levels[-1])
    return result


def _frechet(features: Tensor, mean: Tensor, covariance: Tensor) -> float:
    own = torch.cov(features.T)
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ own @ root).clamp(min=0).sqrt().sum()
    gap = (features.mean(dim=0) - mean).square().sum()
    return float(gap + own.trace() + covariance.trace() - 2 * cross)
