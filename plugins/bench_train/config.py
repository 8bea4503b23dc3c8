"""The configuration of a training: with the data, it determines every weight."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum

import torch

from bench.api import BenchError
from bench_train.ema import Average, PowerLaw
from bench_train.gradients import Gradients, Passes, Sliced
from bench_train.losses import Objective
from bench_train.process_group import ProcessGroup
from bench_train.schedule import WarmupStableDecay


class Precision(Enum):
    """Arithmetic of a training.

    Under the 16-bit ones the network's products are computed so, weights and loss in float32;
    float16's narrow range needs a scaled loss, too. In float64 all is, for checks.
    """

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT64 = "float64"

    @property
    def autocast(self) -> torch.dtype | None:
        """The dtype to hand to `torch.autocast`, None for none."""
        return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(self.value)

    def arithmetic(self, device: str) -> AbstractContextManager[object]:
        """A context in which products on this kind of device are computed so."""
        return torch.autocast(device, self.autocast) if self.autocast else nullcontext()

    @property
    def weights(self) -> torch.dtype:
        """The dtype of weights, data and loss."""
        return torch.float64 if self is Precision.FLOAT64 else torch.float32


@dataclass(frozen=True)
class TrainConfig:
    """A training under a noise process.

    objective: the loss, with process and times. images: samples seen in total, counted with
    repetition; a learning rate that decays reaches zero there. batch: samples per step, over all
    processes. learning_rate: Adam's peak rate. betas: Adam's. clip: largest norm of the gradient,
    infinite for none. schedule: shape of the learning rate. averages: of the weights, at least
    one; the first is the one that counts. flips: mirror half of the images. dequantise: add
    uniform noise to the integers. dropout: the network's. seed: of data order, noise, times,
    flips and dropout. label_dropout: share of the labels replaced by `NO_CLASS`, None for a
    network without classes. start: sha256 of the weights to begin with, "" for fresh ones.
    precision, compiled, gradients, device, group: how it is computed; they change the last bits
    only.
    """

    objective: Objective
    images: int
    batch: int = 256
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    schedule: WarmupStableDecay = field(default_factory=WarmupStableDecay)
    averages: tuple[Average, ...] = (PowerLaw(),)
    flips: bool = False
    dequantise: bool = True
    dropout: float = 0.0
    seed: int = 0
    label_dropout: float | None = None
    start: str = ""
    precision: Precision = Precision.FLOAT32
    compiled: bool = False
    gradients: Gradients = field(default_factory=Passes)
    device: str = "cpu"
    group: ProcessGroup = field(default_factory=ProcessGroup)

    def __post_init__(self) -> None:
        for name in ("images", "batch", "learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise BenchError(f"training: {name} is {getattr(self, name)}; it must be positive")
        if self.seed < 0:
            raise BenchError(f"--seed {self.seed}: must not be negative")
        if not 0 <= self.betas[1] < 1:
            raise BenchError(f"--beta2 {self.betas[1]:g}: must be in [0, 1)")
        if not 0 <= (self.label_dropout or 0) <= 1:
            raise BenchError(f"--label-dropout {self.label_dropout:g}: must be in [0, 1]")
        if not self.averages:
            raise BenchError(
                "training: no average of the weights; give --ema, --ema-halflife or --ema-rate"
            )
        if isinstance(self.gradients, Sliced) and (self.dropout or self.group.size > 1):
            raise BenchError(
                "--workers: threads can share out neither dropout nor several processes' work; "
                "leave --workers out, or pass --dropout 0 and --processes 1"
            )
        if self.batch < self.group.size:
            raise BenchError(
                f"--batch {self.batch}: fewer samples than the {self.group.size} processes; "
                "raise it"
            )

    @property
    def steps(self) -> int:
        """Optimiser steps in total; the last one completes `images`."""
        return -(-self.images // self.batch)

    def rate(self, step: int) -> float:
        """Learning rate of the step-th step, counted from 0."""
        return self.learning_rate * self.schedule.factor(step * self.batch, self.images)

    @property
    def identity(self) -> str:
        """All that must agree for a checkpoint to be continued: not length, speed and device.

        Masks of dropout are drawn for each slice, whose size counts then.
        """
        fixed = (self.objective, self.batch, self.learning_rate, self.betas, self.clip)
        data = (self.flips, self.dequantise)
        dropout = (self.dropout, self.gradients.slice_rows(self.batch)) if self.dropout else 0.0
        parts = (*fixed, self.schedule, self.averages, *data, dropout, self.seed)
        # Named only where they are in use: older checkpoints go on.
        labels = () if self.label_dropout is None else (("label_dropout", self.label_dropout),)
        start = (("start", self.start),) if self.start else ()
        return repr((*parts, *labels, *start))
