"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim.swa_utils import AveragedModel

from bench.api import BenchError
from bench_train.checkpoint import Progress, Trainee
from bench_train.config import Precision, TrainConfig
from bench_train.data import (
    BatchOrder,
    TrainingData,
    at_centres,
    dequantise,
    drop_labels,
    flip,
    generator_of,
    seed_of,
)
from bench_train.housekeeping import Clock, Housekeeping
from bench_train.losses import Denoise
from bench_train.times import stratified_uniforms


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
    data: TrainingData,
    housekeeping: Housekeeping | None = None,
) -> TrainResult:
    """Train `denoiser` (a normalised D(y; s), changed in place) and average its weights.

    Deterministic: the same config, initial weights, data, device and thread count give the same
    bits, also when cut and resumed at a checkpoint. With several processes every one calls this,
    and the first one writes and reports.

    Raises:
        BenchError: the loss diverges, or a checkpoint does not belong to `config`.
    """
    keeping = housekeeping or Housekeeping()
    trainee = _trainee(config, denoiser)
    step = _resume(trainee, config, keeping)
    connected = config.group.connect(trainee.model)
    loop = _Loop(config, trainee, data, connected, _forward(config, connected))
    clock = Clock(config, keeping if config.group.leads else Housekeeping(), step)
    last = min(config.steps, keeping.stop_after or config.steps)
    with _own_randomness(config):
        while step < last:
            clock.losses.append(loop.advance(step))
            step += 1
            if clock.is_report_due():
                clock.report(step)
            if clock.is_checkpoint_due():
                clock.check(step)
                _save(trainee, config, keeping, step)
    if clock.losses:
        clock.report(step)
    _save(trainee, config, keeping, step)
    return _result(config, trainee, step)


def average_at(config: TrainConfig, denoiser: nn.Module, checkpoint: Path) -> TrainResult:
    """Return the averaged networks of a training in progress, from its checkpoint."""
    trainee = _trainee(config, denoiser)
    return _result(config, trainee, trainee.load(checkpoint, config.identity))


def _result(config: TrainConfig, trainee: Trainee, step: int) -> TrainResult:
    networks = {name: average.module.eval() for name, average in trainee.averages.items()}
    return TrainResult(networks, min(step * config.batch, config.images))


@dataclass(frozen=True)
class _Loop:
    config: TrainConfig
    trainee: Trainee
    data: TrainingData
    connected: nn.Module
    denoise: Denoise

    def advance(self, step: int) -> Tensor:
        """Make one optimiser step, and return the detached loss."""
        config, optimizer, scaler = self.config, self.trainee.optimizer, self.trainee.scaler
        rate = config.rate(step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = config.gradients(
            partial(self._loss, step), self.connected, self._batch(step), scaler
        )
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(self.trainee.model.parameters(), config.clip)
        scaler.step(optimizer)
        scaler.update()
        for average in self.trainee.averages.values():
            average.update_parameters(self.trainee.model)
        return loss

    def _loss(
        self, step: int, number: int, x_0: Tensor, eps: Tensor, uniforms: Tensor, *labels: Tensor
    ) -> Tensor:
        if self.config.dropout:
            # The masks of a slice are the same in whichever process it is computed.
            torch.manual_seed(seed_of(self.config.seed, 4, step, number))
        return self.config.objective.loss(self.denoise, x_0, eps, uniforms, *labels)

    def _batch(self, step: int) -> tuple[Tensor, ...]:
        """Data, noise, uniforms and, with classes, labels of a step, drawn on the CPU.

        They are functions of (seed, step).

        Every process draws those of the whole batch, so that nothing depends on their number.
        """
        config = self.config
        generator = generator_of(config.seed, 2, step)
        rows = BatchOrder(len(self.data.samples), config.batch, config.seed).indices(step)
        x_0 = self._clean(step, rows, generator)
        eps = torch.randn(x_0.shape, generator=generator)
        uniforms = stratified_uniforms(config.batch, generator)
        target = config.device, config.precision.weights
        return x_0.to(*target), eps.to(*target), uniforms, *self._labels(step, rows)

    def _clean(self, step: int, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The samples of a step as real numbers, float32."""
        config, samples, levels = self.config, self.data.samples[rows], self.data.levels
        if config.flips:
            samples = flip(samples, generator_of(config.seed, 5, step))
        if not levels:
            return samples
        if config.dequantise:
            return dequantise(samples, levels, torch.rand(samples.shape, generator=generator))
        return at_centres(samples, levels, torch.float32)

    def _labels(self, step: int, rows: Tensor) -> tuple[Tensor, ...]:
        config, labels = self.config, self.data.labels
        if config.label_dropout is None:
            return ()
        if labels is None:
            raise BenchError(f"data '{self.data.name}' have no labels; leave --classes out")
        generator = generator_of(config.seed, 6, step)
        kept = drop_labels(labels[rows], config.label_dropout, generator)
        return (kept.to(config.device),)


@contextmanager
def _own_randomness(config: TrainConfig) -> Iterator[None]:
    """Put torch's global generators back in the end where dropout seeds them."""
    if not config.dropout:
        yield
        return
    with torch.random.fork_rng():
        yield


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
    if keeping.checkpoint is not None and config.group.leads:
        trainee.save(keeping.checkpoint, Progress(step, config.identity))


def _forward(config: TrainConfig, model: nn.Module) -> Denoise:
    """The model's call under the configured precision and compilation."""
    call: Denoise = torch.compile(model) if config.compiled else model
    if config.precision.autocast is None:
        return call

    def autocast(y: Tensor, s: Tensor, *labels: Tensor) -> Tensor:
        with config.precision.arithmetic(y.device.type):
            return call(y, s, *labels)

    return autocast
