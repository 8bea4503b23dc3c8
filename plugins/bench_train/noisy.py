"""Training of classifiers of noised samples, p(c | y; s), for classifier guidance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import BenchError, NoiseProcess, TrainingRecord, TrainingTask
from bench_train.classifier import require_labels
from bench_train.config import Precision, TrainConfig
from bench_train.data import dequantise, generator_of
from bench_train.housekeeping import Housekeeping, Report
from bench_train.loop import train
from bench_train.losses import NoisyCrossEntropy
from bench_train.schedule import WarmupStableDecay
from bench_train.split import DataSplit
from bench_train.times import LogNormal, LogUniform, Mixture

LEVELS = (0.01, 0.3, 1.0, 3.0, 10.0)
"""Noise-to-signal ratios at which the classifier is tested."""


@runtime_checkable
class ClassifiesNoise(Protocol):
    """A `TrainableClassifier` that has a network for noised samples, too."""

    def build_noisy(self, task: TrainingTask) -> nn.Module:
        """Return a network, called as network(y, s), with logits (n, task.classes)."""
        ...

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        """Write what `build_noisy` returned, trained."""
        ...


@dataclass(frozen=True)
class NoisyTraining:
    """Passes over the training part, batch, peak learning rate, mirroring, seed and arithmetic."""

    epochs: int = 15
    batch: int = 250
    learning_rate: float = 2e-3
    flips: bool = False
    seed: int = 0
    precision: Precision = Precision.FLOAT32


@dataclass(frozen=True)
class Tested:
    """Accuracy and mean negative log-likelihood (nats) of the test part, by noise level."""

    accuracy: Mapping[float, float]
    nll: Mapping[float, float]


@dataclass(frozen=True)
class NoisyRecipe:
    """A classifier of noised samples, ready to be trained.

    Attributes:
        split: data with labels.
        network: the classifier.
        process: whose noise-to-signal ratios it is to know.
        command: the command line, for the record of the weights.
    """

    split: DataSplit
    network: ClassifiesNoise
    process: NoiseProcess
    training: NoisyTraining
    command: str

    @property
    def images(self) -> int:
        """Samples to be seen, with repetition."""
        return self.training.epochs * len(self.split.train.samples)

    def make(
        self, out: Path, report: Callable[[Report], None] | None = None
    ) -> tuple[Path, Tested]:
        """Train, test, and write `<name>_noisy_classifier.safetensors`.

        Raises:
            BenchError: the data have no labels, or the file cannot be written.
        """
        require_labels(self.split.train, self.split.name)
        training = self.training
        with torch.random.fork_rng():
            torch.manual_seed(training.seed)
            network = self.network.build_noisy(self._task())
        result = train(self._config(), network, self.split.training, Housekeeping(report=report))
        tested = accuracies(result.average, self.split, training.seed)
        path = out / f"{self.split.name}_noisy_classifier.safetensors"
        self.network.save(path, result.average, self._record(result.images, tested))
        return path, tested

    def _task(self) -> TrainingTask:
        data = self.split.training
        mean, std = (round(moment, 4) for moment in data.moments())
        shape = tuple(data.samples.shape[1:])
        return TrainingTask(data.name, shape, data.levels, mean, std, self.process, data.classes)

    def _config(self) -> TrainConfig:
        training = self.training
        images = self.images
        return TrainConfig(
            objective=NoisyCrossEntropy(self.process, Mixture(LogUniform(), LogNormal(-0.5, 1.3))),
            images=images,
            batch=training.batch,
            learning_rate=training.learning_rate,
            schedule=WarmupStableDecay(min(20_000, images // 10), 0.6),
            flips=training.flips,
            seed=training.seed,
            label_dropout=0.0,
            precision=training.precision,
        )

    def _record(self, images: int, tested: Tested) -> TrainingRecord:
        return TrainingRecord(
            s_range=self.process.s_range,
            data=self.split.name,
            levels=self.split.levels,
            data_sha256=self.split.training.digest,
            images=images,
            recipe={
                "command": self.command,
                "identity": self._config().identity,
                "precision": self.training.precision.value,
                "test_accuracy": {str(s): value for s, value in tested.accuracy.items()},
                "test_nll_nats": {str(s): value for s, value in tested.nll.items()},
            },
            licence=self.split.licence,
        )


@torch.inference_mode()
def accuracies(network: nn.Module, split: DataSplit, seed: int) -> Tested:
    """Accuracy and likelihood of the test part at `LEVELS`, noise drawn from ``seed``.

    Raises:
        BenchError: the data have no labels.
    """
    samples, labels = require_labels(split.test, split.name)
    if int(labels.max()) >= split.training.classes:
        raise BenchError(
            f"data '{split.name}': a label of the test part does not occur in the training part"
        )
    accuracy, nll = {}, {}
    for number, s in enumerate(LEVELS):
        generator = generator_of(seed, 7, number)
        logits = torch.cat(
            [_logits(network, part, split, s, generator) for part in samples.split(500)]
        )
        accuracy[s] = float((logits.argmax(dim=1) == labels).double().mean())
        nll[s] = float(functional.cross_entropy(logits.double(), labels))
    return Tested(accuracy, nll)


def _logits(
    network: nn.Module, images: Tensor, split: DataSplit, s: float, generator: torch.Generator
) -> Tensor:
    x_0 = dequantise(images, split.levels, torch.rand(images.shape, generator=generator))
    y = x_0 + s * torch.randn(images.shape, generator=generator)
    logits: Tensor = network(y, torch.tensor(s))
    return logits
