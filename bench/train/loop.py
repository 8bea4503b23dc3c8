"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bench.core.errors import BenchError
from bench.train.checkpoint import Progress, Trainee
from bench.train.config import TrainConfig
from bench.train.data import BatchOrder, IntegerData, dequantise, generator_of
from bench.train.losses import Denoise
from bench.train.times import stratified_uniforms


@dataclass(frozen=True)
class Report:
    """What is told during a training.

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
    """What a training writes and tells while it runs; none of it changes a weight.

    checkpoint: file for resuming (None for none), written every `checkpoint_s` seconds and at
    the end; an existing one is continued. report: called every `report_s` seconds.
    stop_after: stop, with a checkpoint, once so many steps are done in all.
    """

    checkpoint: Path | None = None
    checkpoint_s: float = 60.0
    report: Callable[[Report], None] | None = None
    report_s: float = 1.0
    stop_after: int | None = None


@dataclass(frozen=True)
class TrainResult:
    """The averaged network, in evaluation mode, and how many samples the training has seen."""

    average: nn.Module
    images: int


def train(
    config: TrainConfig,
    denoiser: nn.Module,
    data: IntegerData,
    housekeeping: Housekeeping | None = None,
) -> TrainResult:
    """Trains `denoiser` (a normalised D(y; s), changed in place) and averages its weights.

    Deterministic: the same config, initial weights, data, device and thread count give the same
    bits, also when cut and resumed at a checkpoint. Raises BenchError when the loss diverges or
    a checkpoint does not belong to `config`.
    """
    keeping = housekeeping or Housekeeping()
    trainee = _trainee(config, denoiser)
    step = _resume(trainee, config, keeping)
    parameters = list(trainee.model.parameters())
    loop = _Loop(config, trainee, data, _forward(config, trainee.model), parameters)
    clock = _Clock(keeping, step)
    last = min(config.steps, keeping.stop_after or config.steps)
    while step < last:
        clock.losses.append(loop.advance(step))
        step += 1
        if clock.report_is_due():
            clock.tell(config, step)
        if clock.checkpoint_is_due():
            _save(trainee, config, keeping, step)
    if clock.losses:
        clock.tell(config, step)
    _save(trainee, config, keeping, step)
    average: nn.Module = trainee.average.module.eval()
    return TrainResult(average, min(step * config.batch, config.images))


def average_at(config: TrainConfig, denoiser: nn.Module, checkpoint: Path) -> TrainResult:
    """The averaged network of a training in progress, read from its checkpoint."""
    trainee = _trainee(config, denoiser)
    step = trainee.load(checkpoint, config.identity)
    return TrainResult(trainee.average.module.eval(), min(step * config.batch, config.images))


@dataclass(frozen=True)
class _Loop:
    config: TrainConfig
    trainee: Trainee
    data: IntegerData
    denoise: Denoise
    parameters: Sequence[Tensor]

    def advance(self, step: int) -> Tensor:
        """One optimiser step; returns the detached loss."""
        config, optimizer = self.config, self.trainee.optimizer
        rate = _rate(config, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = config.gradients(self._loss, self.parameters, self._batch(step))
        nn.utils.clip_grad_norm_(self.parameters, config.clip)
        optimizer.step()
        self.trainee.average.update_parameters(self.trainee.model)
        return loss

    def _loss(self, x_0: Tensor, eps: Tensor, uniforms: Tensor) -> Tensor:
        return self.config.objective.loss(self.denoise, x_0, eps, uniforms)

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Data, noise and uniforms of a step: functions of (seed, step), drawn on the CPU."""
        config = self.config
        generator = generator_of(config.seed, 2, step)
        order = BatchOrder(len(self.data.samples), config.batch, config.seed)
        integers = self.data.samples[order.indices(step)]
        x_0 = dequantise(
            integers, self.data.levels, torch.rand(integers.shape, generator=generator)
        )
        eps = torch.randn(integers.shape, generator=generator)
        uniforms = stratified_uniforms(config.batch, generator)
        return x_0.to(config.device), eps.to(config.device), uniforms


class _Clock:
    """When to report and to write checkpoints, and the losses since the last report."""

    def __init__(self, keeping: Housekeeping, step: int) -> None:
        self.keeping, self.first = keeping, step
        self.start = self.reported = self.saved = time.monotonic()
        self.losses: list[Tensor] = []

    def report_is_due(self) -> bool:
        return time.monotonic() - self.reported >= self.keeping.report_s

    def checkpoint_is_due(self) -> bool:
        due = time.monotonic() - self.saved >= self.keeping.checkpoint_s
        self.saved = time.monotonic() if due else self.saved
        return due

    def tell(self, config: TrainConfig, step: int) -> None:
        """Checks the losses since the last report and passes their mean on."""
        loss = float(torch.stack(self.losses).mean())
        self.losses.clear()
        if not math.isfinite(loss):
            raise BenchError(
                f"training: the loss is {loss} before step {step}; lower the learning rate "
                f"(now {_rate(config, step):g}) or the gradient clip, and resume"
            )
        self.reported = time.monotonic()
        speed = (step - self.first) * config.batch / max(self.reported - self.start, 1e-9)
        if self.keeping.report is not None:
            images = min(step * config.batch, config.images)
            self.keeping.report(Report(images, config.images, loss, speed, _rate(config, step)))


def _trainee(config: TrainConfig, denoiser: nn.Module) -> Trainee:
    model = denoiser.to(config.device).train()
    average = AveragedModel(model, multi_avg_fn=config.ema)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.learning_rate, betas=config.betas, fused=True
    )
    return Trainee(model, average, optimizer)


def _resume(trainee: Trainee, config: TrainConfig, keeping: Housekeeping) -> int:
    if keeping.checkpoint is None or not keeping.checkpoint.exists():
        return 0
    return trainee.load(keeping.checkpoint, config.identity)


def _save(trainee: Trainee, config: TrainConfig, keeping: Housekeeping, step: int) -> None:
    if keeping.checkpoint is not None:
        trainee.save(keeping.checkpoint, Progress(step, config.identity))


def _forward(config: TrainConfig, model: nn.Module) -> Denoise:
    """The model's call under the configured precision and compilation."""
    call: Denoise = torch.compile(model) if config.compiled else model
    dtype = config.precision.autocast
    if dtype is None:
        return call

    def autocast(y: Tensor, s: Tensor) -> Tensor:
        with torch.autocast(y.device.type, dtype):
            return call(y, s)

    return autocast


def _rate(config: TrainConfig, step: int) -> float:
    return config.learning_rate * config.schedule.factor(step * config.batch, config.images)
