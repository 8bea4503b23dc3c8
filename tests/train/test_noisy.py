"""Classifiers of noised samples: their loss, their training and their files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.api import BenchError, TrainingRecord
from bench_plugins.edm.process import EDM
from bench_plugins.metrics.classifier import SmallClassifier
from bench_plugins.models.noisy_classifier import EncoderClassifier, load_noisy_classifier
from bench_train.losses import NoisyCrossEntropy
from bench_train.noisy import ClassifiesNoise, NoisyRecipe, NoisyTraining
from bench_train.split import DataSplit, Labelled
from bench_train.times import LogUniform, stratified_uniforms

CPU = torch.device("cpu")
POINTS = torch.tensor([[-0.5, 0.2], [0.7, -0.4]])


@pytest.fixture(scope="module")
def split() -> DataSplit:
    """Dark and bright images of 8x8 pixels, with some noise of their own."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(240) % 2
    noise = torch.randint(0, 60, (240, 1, 8, 8), generator=generator)
    samples = (noise + 60 + 80 * labels[:, None, None, None]).to(torch.uint8)
    part = Labelled(samples[:200], labels[:200])
    return DataSplit("shades", 256, "none", part, Labelled(samples[200:], labels[200:]))


@pytest.fixture(scope="module")
def path(split: DataSplit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    training = NoisyTraining(epochs=12, batch=50)
    recipe = NoisyRecipe(split, EncoderClassifier(8, 32), EDM(), training, "by hand")
    made, tested = recipe.make(tmp_path_factory.mktemp("out"))
    assert made.name == "shades_noisy_classifier.safetensors"
    assert tested.accuracy[0.01] == 1.0
    assert tested.nll[10.0] > tested.nll[0.01]
    return made


def _posterior(scale: float, shift: float, y: Tensor, s: Tensor) -> Tensor:
    """Logits of p(c | y; s) of two points, times ``scale``, plus ``shift`` of the second."""
    distances = (y[:, None] - POINTS).square().sum(dim=2)
    logits = -distances / (2 * s.reshape(-1, 1) ** 2)
    return logits * scale + torch.tensor([0.0, shift])


def test_the_exact_posterior_has_the_least_loss() -> None:
    objective = NoisyCrossEntropy(EDM(), LogUniform(0.3, 3.0))
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40_000) % 2
    eps = torch.randn(40_000, 2, generator=generator)
    uniforms = stratified_uniforms(40_000, generator)[torch.randperm(40_000, generator=generator)]

    def loss(scale: float, shift: float) -> float:
        def network(y: Tensor, s: Tensor) -> Tensor:
            return _posterior(scale, shift, y, s)

        return float(objective.loss(network, POINTS[labels], eps, uniforms, labels))

    exact = loss(1.0, 0.0)
    assert 0.05 < exact < math.log(2)
    assert all(loss(*other) > exact for other in ((0.8, 0.0), (1.25, 0.0), (1.0, 0.2), (1.0, -0.2)))


def test_probabilities_add_up_and_have_gradients(path: Path) -> None:
    classifier = load_noisy_classifier(path, CPU, torch.float64)
    assert (classifier.classes, classifier.shape) == (2, (1, 8, 8))
    assert classifier.s_range == (0.002, 80.0)
    assert classifier.data == "shades"
    y = torch.randn(5, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y.requires_grad_()
    for s in (torch.tensor(0.7), torch.tensor([0.01, 0.1, 1.0, 10.0, 80.0])):
        log_probs = classifier.log_probs(y, s)
        assert log_probs.shape == (5, 2)
        torch.testing.assert_close(log_probs.exp().sum(dim=1), torch.ones(5).double())
    (gradient,) = torch.autograd.grad(log_probs[:, 0].sum(), y)
    assert gradient.shape == y.shape
    assert bool(gradient.abs().amax(dim=(1, 2, 3)).gt(0).all())
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


def test_the_gradient_is_that_of_finite_differences(path: Path) -> None:
    classifier = load_noisy_classifier(path, CPU, torch.float64)
    generator = torch.Generator().manual_seed(2)
    y = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    step = 1e-5 * torch.randn(y.shape, dtype=torch.float64, generator=generator)
    s = torch.tensor(0.5, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(classifier.log_probs(y, s)[0, 1], y)
    up, down = (classifier.log_probs(y.detach() + sign * step, s)[0, 1] for sign in (1, -1))
    slope = float((gradient * step).sum())
    assert float((up - down) / 2) == pytest.approx(slope, rel=1e-5)


def test_the_same_seed_gives_the_same_file(split: DataSplit, path: Path, tmp_path: Path) -> None:
    training = NoisyTraining(epochs=12, batch=50)
    recipe = NoisyRecipe(split, EncoderClassifier(8, 32), EDM(), training, "by hand")
    assert recipe.make(tmp_path)[0].read_bytes() == path.read_bytes()


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot read the weights"):
        load_noisy_classifier(tmp_path / "none.safetensors", CPU, torch.float32)
    clean, plugin = tmp_path / "clean.safetensors", EncoderClassifier(8, 32)
    record = TrainingRecord((0.0, 0.0), "shades", 256, "0" * 64, 0)
    plugin.save(clean, plugin.build((1, 8, 8), 256), record)
    with pytest.raises(BenchError, match="of the kind 'clean_encoder'"):
        load_noisy_classifier(clean, CPU, torch.float32)


def test_data_without_labels_are_refused(split: DataSplit, tmp_path: Path) -> None:
    bare = replace(split, train=Labelled(split.train.samples))
    recipe = NoisyRecipe(bare, EncoderClassifier(8, 32), EDM(), NoisyTraining(), "")
    with pytest.raises(BenchError, match="'shades' have no labels"):
        recipe.make(tmp_path)
    assert split.test.labels is not None
    strange = replace(split, test=Labelled(split.test.samples, split.test.labels + 1))
    training = NoisyTraining(epochs=1, batch=100)
    recipe = NoisyRecipe(strange, EncoderClassifier(8, 32), EDM(), training, "")
    with pytest.raises(BenchError, match="does not occur in the training part"):
        recipe.make(tmp_path)


def test_classifiers_of_clean_images_are_no_others() -> None:
    assert isinstance(EncoderClassifier(), ClassifiesNoise)
    assert not isinstance(SmallClassifier(), ClassifiesNoise)


@pytest.mark.parametrize("sizes", [{"fine": 12}, {"coarse": 40}, {"fine": 0}])
def test_senseless_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be a multiple of"):
        EncoderClassifier(**sizes)
