"""What a training is: one frozen value that, with the data, determines every weight."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import torch

from bench.core.errors import BenchError
from bench.train.ema import PowerLaw
from bench.train.gradients import Gradients, WholeBatch
from bench.train.losses import ScoreMatching
from bench.train.schedule import WarmupStableDecay


class Precision(Enum):
    """Arithmetic of the network during training; weights and loss are float32 either way."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"

    @property
    def autocast(self) -> torch.dtype | None:
        """The dtype to hand to `torch.autocast`, None for none."""
        return torch.bfloat16 if self is Precision.BFLOAT16 else None


@dataclass(frozen=True)
class TrainConfig:
    """A training by denoising score matching.

    objective: process, time sampling and weighting. images: samples seen in total, counted with
    repetition; the learning rate reaches zero there. batch: samples per step. learning_rate:
    Adam's peak rate. betas: Adam's. clip: largest norm of the gradient. schedule, ema: shapes of
    the learning rate and of the average of the weights. seed: of data order, noise and times.
    precision, compiled, gradients, device: how it is computed; they change the last bits only.
    """

    objective: ScoreMatching
    images: int
    batch: int = 256
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    schedule: WarmupStableDecay = field(default_factory=WarmupStableDecay)
    ema: PowerLaw = field(default_factory=PowerLaw)
    seed: int = 0
    precision: Precision = Precision.FLOAT32
    compiled: bool = False
    gradients: Gradients = field(default_factory=WholeBatch)
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("images", "batch", "learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise BenchError(f"training: {name} is {getattr(self, name)}; it must be positive")

    @property
    def steps(self) -> int:
        """Optimiser steps in total; the last one completes `images`."""
        return -(-self.images // self.batch)

    @property
    def identity(self) -> str:
        """What must agree for a checkpoint to be continued: all but length, speed and device."""
        fixed = (self.objective, self.batch, self.learning_rate, self.betas, self.clip)
        return repr((*fixed, self.schedule, self.ema, self.seed))
