"""Training of feature extractors for Frechet distances.

Plain supervised learning: cross-entropy, Adam with a one-cycle learning rate (Smith & Topin
2019, arXiv:1708.07120), images shifted at random by up to two pixels (one for 8x8 images). The
minute it takes on a CPU is all that there is to tune.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.api import BenchError
from bench_train.config import Precision
from bench_train.data import BatchOrder, flip, generator_of
from bench_train.split import DataSplit, Labelled


@dataclass(frozen=True)
class ClassifierTraining:
    """A training of a classifier.

    epochs: over the training part. batch, learning_rate (the peak). shift: largest, in pixels.
    flips: mirror half of the images. precision: of the network's products.
    """

    epochs: int = 15
    batch: int = 250
    learning_rate: float = 5e-3
    shift: int = 2
    seed: int = 0
    flips: bool = False
    precision: Precision = Precision.FLOAT32

    @property
    def record(self) -> dict[str, object]:
        """The fields as JSON holds them."""
        return asdict(self) | {"precision": self.precision.value}


def train_classifier(
    classifier: nn.Module,
    split: DataSplit,
    config: ClassifierTraining,
    report: Callable[[int, float], None] | None = None,
) -> nn.Module:
    """Train `classifier` (uint8 images -> logits) in place, and return it in evaluation mode.

    Args:
        report: called with the epoch and its loss after each epoch.

    Raises:
        BenchError: the data have no labels.
    """
    samples, labels = require_labels(split.train, split.name)
    order = BatchOrder(len(samples), config.batch, config.seed)
    steps_per_epoch = len(samples) // config.batch
    optimizer = torch.optim.Adam(classifier.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.epochs * steps_per_epoch
    )
    classifier.train()
    for step in range(config.epochs * steps_per_epoch):
        rows = order.indices(step)
        images = _shift(samples[rows], config.shift, generator_of(config.seed, 3, step))
        if config.flips:
            images = flip(images, generator_of(config.seed, 5, step))
        with config.precision.arithmetic("cpu"):
            logits = classifier(images)
        loss = functional.cross_entropy(logits.to(config.precision.weights), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if report is not None and (step + 1) % steps_per_epoch == 0:
            report((step + 1) // steps_per_epoch, float(loss.detach()))
    return classifier.eval()


@torch.inference_mode()
def accuracy(classifier: nn.Module, part: Labelled, name: str) -> float:
    """Fraction of the samples of `part` that are classified right, in [0, 1]."""
    samples, labels = require_labels(part, name)
    right = [
        (classifier(images).argmax(dim=1) == truth).sum()
        for images, truth in zip(samples.split(500), labels.split(500), strict=True)
    ]
    return int(torch.stack(right).sum()) / len(labels)


def require_labels(part: Labelled, name: str) -> tuple[Tensor, Tensor]:
    """Return samples and labels of ``part``; raises BenchError where there are none."""
    if part.labels is None:
        raise BenchError(f"data '{name}' have no labels; add y_train and y_test to the .npz file")
    return part.samples, part.labels


def _shift(images: Tensor, limit: int, generator: torch.Generator) -> Tensor:
    """Each image moved by its own whole pixels in [-limit, limit]^2, zeros moving in."""
    n, _, height, width = images.shape
    padded = functional.pad(images, (limit,) * 4)
    offsets = torch.randint(0, 2 * limit + 1, (2, n), generator=generator)
    rows = offsets[0][:, None] + torch.arange(height)
    columns = offsets[1][:, None] + torch.arange(width)
    index = torch.arange(n)
    return padded[index[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(3, 1)
