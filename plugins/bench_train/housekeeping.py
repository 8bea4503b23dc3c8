"""Reports and checkpoints of a training, and when they are due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bench.api import BenchError
from bench_train.config import TrainConfig


@dataclass(frozen=True)
class Report:
    """The state of a training at one moment.

    images, total: samples seen and to be seen. loss: mean since the last report.
    images_per_s: since the training began or was resumed. rate: current learning rate.
    """

    images: int
    total: int
    loss: float
    images_per_s: float
    rate: float

    @property
    def remaining_s(self) -> float:
        """Seconds to the end at the present speed."""
        return (self.total - self.images) / self.images_per_s


@dataclass(frozen=True)
class Housekeeping:
    """Checkpoints and reports of a training; none of it changes a weight.

    checkpoint: file for resuming (None for none), written every `checkpoint_s` seconds and at
    the end; an existing one is continued. report: called every `report_s` seconds.
    stop_after: stop, with a checkpoint, once so many steps are done in all.
    """

    checkpoint: Path | None = None
    checkpoint_s: float = 60.0
    report: Callable[[Report], None] | None = None
    report_s: float = 1.0
    stop_after: int | None = None


class Clock:
    """Tells when a report or a checkpoint is due, and keeps the losses since the last report."""

    def __init__(self, config: TrainConfig, keeping: Housekeeping, step: int) -> None:
        self.config, self.keeping, self.first = config, keeping, step
        self.start = self.reported = self.saved = time.monotonic()
        self.losses: list[Tensor] = []

    def is_report_due(self) -> bool:
        return time.monotonic() - self.reported >= self.keeping.report_s

    def is_checkpoint_due(self) -> bool:
        due = time.monotonic() - self.saved >= self.keeping.checkpoint_s
        self.saved = time.monotonic() if due else self.saved
        return due

    def check(self, step: int) -> float:
        """Return the mean loss since the last report; raises BenchError where it is not finite."""
        loss = float(torch.stack(self.losses).mean()) if self.losses else 0.0
        if not math.isfinite(loss):
            raise BenchError(
                f"training: the loss is {loss} before step {step}; lower --learning-rate "
                f"(now {self.config.rate(step):g}) or --clip, and start afresh in another --out"
            )
        return loss

    def report(self, step: int) -> None:
        """Check the losses since the last report, and hand their mean on."""
        loss = self.check(step)
        self.losses.clear()
        self.reported = time.monotonic()
        config = self.config
        speed = (step - self.first) * config.batch / max(self.reported - self.start, 1e-9)
        if self.keeping.report is not None:
            images = min(step * config.batch, config.images)
            self.keeping.report(Report(images, config.images, loss, speed, config.rate(step)))
