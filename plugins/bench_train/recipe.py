"""From the settings of `bench train` to what is trained, and to the record that ships with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from torch import nn

from bench.core.errors import BenchError
from bench.core.process import NoiseProcess
from bench.registry import Kind as PluginKind
from bench.registry import ParameterError, build, load_registry
from bench_train.config import Precision, TrainConfig
from bench_train.data import IntegerData
from bench_train.ema import Average, HalfLife, PowerLaw, Rate
from bench_train.gradients import Gradients, Passes, Sliced
from bench_train.losses import ScoreMatching
from bench_train.options import DataOptions, Machine, TimesChoice, WeightingChoice
from bench_train.process_group import ProcessGroup
from bench_train.schedule import WarmupStableDecay
from bench_train.settings import Settings
from bench_train.sources import DataSplit, array_file, digits, mnist
from bench_train.times import (
    Importance,
    LogNormal,
    LogUniform,
    Mixture,
    TimeSampling,
    UniformTime,
)
from bench_train.trainable import EdmNetwork, Record, Subject, Trainable, trainable
from bench_train.weightings import Edm, Likelihood, SigmaSquared, Unweighted, Weighting

# The lognormal is wider and higher than EDM's: at 28x28 and 8x8 the shape of a digit is decided
# at s of about one. The log-uniform half keeps the ends right, which NLL integrates over too.
_TIMES: Mapping[TimesChoice, TimeSampling] = {
    TimesChoice.MIXED: Mixture(LogUniform(), LogNormal(-0.5, 1.3)),
    TimesChoice.LOGNORMAL: LogNormal(),
    TimesChoice.LOGUNIFORM: LogUniform(),
    TimesChoice.UNIFORM: UniformTime(),
    TimesChoice.IMPORTANCE: Importance(),
}

_WEIGHTINGS: Mapping[WeightingChoice, Callable[[float], Weighting]] = {
    WeightingChoice.EDM: Edm,
    WeightingChoice.SIGMA2: lambda _: SigmaSquared(),
    WeightingChoice.LIKELIHOOD: lambda _: Likelihood(),
    WeightingChoice.NONE: lambda _: Unweighted(),
}

_NAMED_DATA: Mapping[str, Callable[[Path], DataSplit]] = {
    "digits": lambda _: digits(),
    "mnist": mnist,
}


@dataclass(frozen=True)
class Recipe:
    """A training, ready to run: what, on which data, from which initial network."""

    config: TrainConfig
    data: IntegerData
    network: Trainable

    def initial(self) -> nn.Module:
        """The untrained denoiser; its weights depend on the seed alone."""
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            return self.network.build()

    def save(self, path: Path, label: str, network: nn.Module, told: Told) -> None:
        """Writes the average `label`, with a record of the training."""
        record = Record(
            s_range=self.config.objective.process.s_range,
            data=self.data.name,
            levels=self.data.levels,
            data_sha256=self.data.digest,
            images=told.images,
            recipe=self._record(told.command, label),
            licence=self.data.licence,
        )
        self.network.save(path, network, record)

    def _record(self, command: str, label: str) -> dict[str, Any]:
        config = self.config
        return {
            "command": command,
            "identity": config.identity,
            "images": config.images,
            "precision": config.precision.value,
            "weights": f"average {label}",
        }


@dataclass(frozen=True)
class Told:
    """What a record says beside the configuration: samples seen so far, and the command line."""

    images: int
    command: str


def read_data(options: DataOptions) -> DataSplit:
    """The data that `options` name. Raises BenchError where they cannot be had."""
    source = _NAMED_DATA.get(options.data)
    if source is not None:
        return source(options.data_dir)
    return array_file(Path(options.data), options.levels)


def make_recipe(
    settings: Settings, machine: Machine, seed: int, split: DataSplit, crew: ProcessGroup
) -> Recipe:
    """The training that the settings describe. Raises BenchError where they make no sense."""
    data = split.training
    mean, std = (round(moment, 4) for moment in data.moments())
    process = parse_process(settings.process)
    subject = Subject(data.name, tuple(data.samples.shape[1:]), data.levels, mean, std, process)
    network = trainable(settings, subject)
    # EDM's networks are preconditioned for its own sigma_data, whatever the data.
    sigma_data = network.recipe.sigma_data if isinstance(network, EdmNetwork) else std
    weighting = _WEIGHTINGS[settings.weighting](sigma_data)
    _check_times(settings)
    config = TrainConfig(
        objective=ScoreMatching(process, _TIMES[settings.times], weighting, settings.summed),
        images=settings.images,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        betas=(0.9, settings.beta2),
        clip=settings.clip or float("inf"),
        schedule=WarmupStableDecay(settings.warmup, settings.decay),
        averages=_averages(settings),
        flips=settings.flips,
        dequantise=settings.dequantise,
        dropout=settings.sizes.dropout if settings.sizes else 0.0,
        seed=seed,
        precision=Precision(machine.precision.value),
        compiled=machine.compiled,
        gradients=_gradients(settings, machine, crew),
        device=machine.device,
        crew=crew,
    )
    return Recipe(config, data, network)


def parse_process(text: str) -> NoiseProcess:
    """The process of a name, or of YAML as in benchmarks: `{name: ve, sigma_min: 0.02}`.

    Raises:
        BenchError: there is no such process, or it does not take such parameters.
    """
    try:
        read = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        read = None
    mapping = {"name": read} if isinstance(read, str) else read
    if not isinstance(mapping, dict) or not isinstance(mapping.get("name"), str):
        raise BenchError(
            f"--process '{text}': give a name such as vp, or '{{name: ve, sigma_max: 100.0}}'"
        )
    params = {key: value for key, value in mapping.items() if key != "name"}
    cls = load_registry().get(mapping["name"], PluginKind.PROCESS).cls
    try:
        return cast(NoiseProcess, build(cls, params))
    except ParameterError as error:
        place = f"parameter '{error.key}' " if error.key else ""
        raise BenchError(f"--process '{text}': {place}{error}") from None


def _check_times(settings: Settings) -> None:
    if settings.times is TimesChoice.IMPORTANCE and (
        settings.weighting is not WeightingChoice.LIKELIHOOD
    ):
        raise BenchError(
            f"--times importance is made for --weighting likelihood, not "
            f"'{settings.weighting.value}', whose variance it would raise; pass --weighting "
            "likelihood or other --times"
        )


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


def _gradients(settings: Settings, machine: Machine, crew: ProcessGroup) -> Gradients:
    if machine.workers:
        return Sliced(settings.rows or 64, machine.workers)
    return Passes(settings.rows, crew)
