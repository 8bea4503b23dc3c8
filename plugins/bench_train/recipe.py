"""From the settings of `bench train` to what is trained, and to the record that ships with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.api import BenchError, NoiseProcess, Trainable, TrainingRecord, TrainingTask, WeightsFile
from bench_train.config import Precision, TrainConfig
from bench_train.data import TrainingData
from bench_train.ema import Average, HalfLife, PowerLaw, Rate
from bench_train.gradients import Gradients, Passes, Sliced
from bench_train.objective import make_objective
from bench_train.options.computation import ComputationOptions
from bench_train.plugin_options import parse_network, parse_process
from bench_train.process_group import ProcessGroup
from bench_train.schedule import WarmupStableDecay
from bench_train.settings import Settings
from bench_train.split import DataSplit
from bench_train.start import take_weights


@dataclass(frozen=True)
class Recipe:
    """A training, ready to run: configuration, data, and the network to begin with."""

    config: TrainConfig
    data: TrainingData
    network: Trainable
    task: TrainingTask
    start: WeightsFile | None = None

    def initial(self) -> nn.Module:
        """Return the denoiser to begin with; fresh weights follow from the seed.

        Raises:
            BenchError: the file of weights to start from is of another network.
        """
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            network = self.network.build(self.task)
        if self.start is not None:
            take_weights(network, self.start)
        return network

    def save(self, path: Path, label: str, network: nn.Module, images: int, command: str) -> None:
        """Write the average ``label`` after so many images, with a record of the training."""
        record = TrainingRecord(
            s_range=self.task.process.s_range,
            data=self.data.name,
            levels=self.data.levels,
            data_sha256=self.data.digest,
            images=images,
            recipe=self._record(label, command),
            licence=self.data.licence,
        )
        self.network.save(path, network, record)

    def _record(self, label: str, command: str) -> dict[str, Any]:
        return {
            "command": command,
            "identity": self.config.identity,
            "images": self.config.images,
            "precision": self.config.precision.value,
            "weights": f"average {label}",
            **({"source": dict(self.data.source)} if self.data.source else {}),
        }


def make_recipe(
    settings: Settings,
    computation: ComputationOptions,
    seed: int,
    split: DataSplit,
    group: ProcessGroup,
    start: WeightsFile | None = None,
) -> Recipe:
    """Return the training that the settings describe.

    Raises:
        BenchError: they make no sense, or a plugin that they name does not take their parameters.
    """
    data = _training_data(split, settings)
    process = parse_process(settings.process)
    network = parse_network(settings.network, settings.sizes)
    task = _task(data, process, _classes(settings, data, network))
    config = TrainConfig(
        objective=make_objective(settings, process, network.sigma_data(task)),
        images=settings.images,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        betas=(0.9, settings.beta2),
        clip=settings.clip or float("inf"),
        schedule=WarmupStableDecay(settings.warmup, settings.decay),
        averages=_averages(settings),
        flips=settings.flips,
        dequantise=settings.dequantise,
        dropout=network.dropout_rate,
        seed=seed,
        label_dropout=_label_dropout(settings),
        start=start.sha256 if start else "",
        precision=Precision(computation.precision.value),
        compiled=computation.compiled,
        gradients=_gradients(settings, computation.workers, group),
        device=computation.device,
        group=group,
    )
    return Recipe(config, data, network, task, start)


def _training_data(split: DataSplit, settings: Settings) -> TrainingData:
    data = split.training
    if settings.flips and not data.levels:
        raise BenchError(f"--flips: data '{data.name}' are no images; leave it out")
    return data


def _task(data: TrainingData, process: NoiseProcess, classes: int) -> TrainingTask:
    mean, std = (round(moment, 4) for moment in data.moments())
    shape = tuple(data.samples.shape[1:])
    return TrainingTask(data.name, shape, data.levels, mean, std, process, classes)


def _classes(settings: Settings, data: TrainingData, network: Trainable) -> int:
    """The number of classes to condition on, 0 for none."""
    if not settings.classes:
        return 0
    if not data.classes:
        raise BenchError(
            f"--classes: data '{data.name}' have no labels; add y_train to the .npz file"
        )
    if not network.conditional:
        raise BenchError(
            f"--classes: network '{network.name}' takes no classes; pass --network unet or mlp"
        )
    return data.classes


def _label_dropout(settings: Settings) -> float | None:
    """The share of labels left out, None for a training without classes."""
    if settings.classes:
        return 0.1 if settings.label_dropout is None else settings.label_dropout
    if settings.label_dropout is not None:
        raise BenchError("--label-dropout: there are no labels without --classes; pass that, too")
    return None


def _averages(settings: Settings) -> tuple[Average, ...]:
    averages: tuple[Average, ...] = (
        *(PowerLaw(width) for width in settings.ema),
        *(HalfLife(images, settings.batch) for images in settings.ema_halflives),
        *(Rate(rate) for rate in settings.ema_rates),
    )
    labels = [average.label for average in averages]
    for label in labels:
        if labels.count(label) > 1:
            raise BenchError(f"training: the average '{label}' is asked for twice; name it once")
    return averages


def _gradients(settings: Settings, workers: int, group: ProcessGroup) -> Gradients:
    return Sliced(settings.rows or 64, workers) if workers else Passes(settings.rows, group)
