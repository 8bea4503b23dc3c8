"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim.swa_utils import AveragedModel

from bench.core.errors import BenchError
from bench_train.checkpoint import Progress, Trainee
from bench_train.config import Precision, TrainConfig
from bench_train.data import (
    BatchOrder,
    IntegerData,
    at_centres,
    dequantise,
    generator_of,
    seed_of,
)
from bench_train.losses import Denoise
from bench_train.times import stratified_uniforms


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
    """The averaged networks by label, in evaluation mode, and how many samples were seen."""

    averages: Mapping[str, nn.Module]
    images: int

    @property
    def average(self) -> nn.Module:
        """The first average."""
        return next(iter(self.averages.values()))


def train(
    config: TrainConfig,
    denoiser: nn.Module,
    data: IntegerData,
    housekeeping: Housekeeping | None = None,
) -> TrainResult:
    """Trains `denoiser` (a normalised D(y; s), changed in place) and averages its weights.

    Deterministic: the same config, initial weights, data, device and thread count give the same
    bits, also when cut and resumed at a checkpoint. With a crew every process calls this, and the
    first one alone writes and reports. Raises BenchError when the loss diverges or a checkpoint
    does not belong to `config`.
    """
    keeping = housekeeping or Housekeeping()
    trainee = _trainee(config, denoiser)
    step = _resume(trainee, config, keeping)
    joined = config.crew.joined(trainee.model)
    loop = _Loop(config, trainee, data, joined, _forward(config, joined))
    clock = _Clock(keeping if config.crew.leads else Housekeeping(), step)
    last = min(config.steps, keeping.stop_after or config.steps)
    with _own_randomness(config):
        while step < last:
            clock.losses.append(loop.advance(step))
            step += 1
            if clock.report_is_due():
                clock.tell(config, step)
            if clock.checkpoint_is_due():
                clock.check(config, step)
                _save(trainee, config, keeping, step)
    if clock.losses:
        clock.tell(config, step)
    _save(trainee, config, keeping, step)
    return _result(config, trainee, step)


def average_at(config: TrainConfig, denoiser: nn.Module, checkpoint: Path) -> TrainResult:
    """The averaged networks of a training in progress, read from its checkpoint."""
    trainee = _trainee(config, denoiser)
    return _result(config, trainee, trainee.load(checkpoint, config.identity))


def _result(config: TrainConfig, trainee: Trainee, step: int) -> TrainResult:
    networks = {name: average.module.eval() for name, average in trainee.averages.items()}
    return TrainResult(networks, min(step * config.batch, config.images))


@dataclass(frozen=True)
class _Loop:
    config: TrainConfig
    trainee: Trainee
    data: IntegerData
    joined: nn.Module
    denoise: Denoise

    def advance(self, step: int) -> Tensor:
        """One optimiser step; returns the detached loss."""
        config, optimizer, scaler = self.config, self.trainee.optimizer, self.trainee.scaler
        rate = _rate(config, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = config.gradients(partial(self._loss, step), self.joined, self._batch(step), scaler)
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(self.trainee.model.parameters(), config.clip)
        scaler.step(optimizer)
        scaler.update()
        for average in self.trainee.averages.values():
            average.update_parameters(self.trainee.model)
        return loss

    def _loss(self, step: int, number: int, x_0: Tensor, eps: Tensor, uniforms: Tensor) -> Tensor:
        if self.config.dropout:
            # The masks of a slice are the same in whichever process it is computed.
            torch.manual_seed(seed_of(self.config.seed, 4, step, number))
        return self.config.objective.loss(self.denoise, x_0, eps, uniforms)

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Data, noise and uniforms of a step: functions of (seed, step), drawn on the CPU.

        Every process draws those of the whole batch, so that nothing depends on their number.
        """
        config = self.config
        generator = generator_of(config.seed, 2, step)
        order = BatchOrder(len(self.data.samples), config.batch, config.seed)
        integers = self.data.samples[order.indices(step)]
        if config.flips:
            integers = _flipped(integers, generator_of(config.seed, 5, step))
        if config.dequantise:
            jitter = torch.rand(integers.shape, generator=generator)
            x_0 = dequantise(integers, self.data.levels, jitter)
        else:
            x_0 = at_centres(integers, self.data.levels, torch.float32)
        eps = torch.randn(integers.shape, generator=generator)
        uniforms = stratified_uniforms(config.batch, generator)
        target = config.device, config.precision.weights
        return x_0.to(*target), eps.to(*target), uniforms


def _flipped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image, (n, ..., width), mirrored left to right with probability 1/2."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(mirrored.reshape(-1, *(1,) * (images.ndim - 1)), images.flip(-1), images)


@contextmanager
def _own_randomness(config: TrainConfig) -> Iterator[None]:
    """Where dropout seeds torch's global generators, they are put back in the end."""
    if not config.dropout:
        yield
        return
    with torch.random.fork_rng():
        yield


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

    def check(self, config: TrainConfig, step: int) -> float:
        """The mean loss since the last report. Raises BenchError where it is not finite."""
        loss = float(torch.stack(self.losses).mean()) if self.losses else 0.0
        if not math.isfinite(loss):
            raise BenchError(
                f"training: the loss is {loss} before step {step}; lower --learning-rate "
                f"(now {_rate(config, step):g}) or --clip, and start afresh in another --out"
            )
        return loss

    def tell(self, config: TrainConfig, step: int) -> None:
        """Checks the losses since the last report and passes their mean on."""
        loss = self.check(config, step)
        self.losses.clear()
        self.reported = time.monotonic()
        speed = (step - self.first) * config.batch / max(self.reported - self.start, 1e-9)
        if self.keeping.report is not None:
            images = min(step * config.batch, config.images)
            self.keeping.report(Report(images, config.images, loss, speed, _rate(config, step)))


def _trainee(config: TrainConfig, denoiser: nn.Module) -> Trainee:
    model = denoiser.to(config.device, config.precision.weights).train()
    averages = {rule.label: AveragedModel(model, multi_avg_fn=rule) for rule in config.averages}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=config.learning_rate, betas=config.betas, fused=True)
    kind = torch.device(config.device).type
    scaler = GradScaler(kind, enabled=config.precision is Precision.FLOAT16)
    return Trainee(model, averages, optimizer, scaler)


def _resume(trainee: Trainee, config: TrainConfig, keeping: Housekeeping) -> int:
    if keeping.checkpoint is None or not keeping.checkpoint.exists():
        return 0
    return trainee.load(keeping.checkpoint, config.identity)


def _save(trainee: Trainee, config: TrainConfig, keeping: Housekeeping, step: int) -> None:
    if keeping.checkpoint is not None and config.crew.leads:
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
