"""From the options of `bench train` to what is trained, and to the record that ships with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.process import NoiseProcess
from bench.registry import Kind as PluginKind
from bench.registry import load_registry
from bench.train.config import Precision, TrainConfig
from bench.train.data import IntegerData
from bench.train.ema import PowerLaw
from bench.train.gradients import Sliced, WholeBatch
from bench.train.losses import ScoreMatching
from bench.train.options import (
    DataOptions,
    NetworkChoice,
    TimesChoice,
    TrainOptions,
    WeightingChoice,
)
from bench.train.schedule import WarmupStableDecay
from bench.train.sources import DataSplit, array_file, digits, mnist
from bench.train.times import LogNormal, LogUniform, Mixture, TimeSampling, UniformTime
from bench.train.weightings import Edm, Likelihood, SigmaSquared, Unweighted, Weighting
from bench_models.networks.loading import build_network
from bench_models.networks.metadata import Metadata
from bench_models.networks.mlp import MLPConfig
from bench_models.networks.precond import Preconditioning
from bench_models.networks.unet import UNetConfig

# The lognormal is wider and higher than EDM's: at 28x28 and 8x8 the shape of a digit is decided
# at s of about one. The log-uniform half keeps the ends right, which NLL integrates over too.
_TIMES: Mapping[TimesChoice, TimeSampling] = {
    TimesChoice.MIXED: Mixture(LogUniform(), LogNormal(-0.5, 1.3)),
    TimesChoice.LOGNORMAL: LogNormal(),
    TimesChoice.LOGUNIFORM: LogUniform(),
    TimesChoice.UNIFORM: UniformTime(),
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
    network: UNetConfig | MLPConfig
    preconditioning: Preconditioning

    def initial(self) -> nn.Module:
        """The untrained denoiser; its weights depend on the seed alone."""
        with torch.random.fork_rng():
            torch.manual_seed(self.config.seed)
            return build_network(self.network, self.preconditioning)

    def metadata(self, images: int, command: str) -> Metadata:
        """The record of the network after `images` samples of training."""
        return Metadata(
            network=self.network,
            preconditioning=self.preconditioning,
            s_range=self.config.objective.process.s_range,
            data=self.data.name,
            levels=self.data.levels,
            data_sha256=self.data.digest,
            images=images,
            recipe=self._record(command),
            licence=self.data.licence,
        )

    def _record(self, command: str) -> dict[str, Any]:
        config = self.config
        return {
            "command": command,
            "identity": config.identity,
            "images": config.images,
            "precision": config.precision.value,
            "weights": "power-law average",
        }


def read_data(options: DataOptions) -> DataSplit:
    """The data that `options` name. Raises BenchError where they cannot be had."""
    source = _NAMED_DATA.get(options.data)
    if source is not None:
        return source(options.data_dir)
    return array_file(Path(options.data), options.levels)


def make_recipe(options: TrainOptions, split: DataSplit) -> Recipe:
    """The training that `options` describe. Raises BenchError where they make no sense."""
    data = split.training
    mean, std = (round(moment, 4) for moment in data.moments())
    process = cast(NoiseProcess, load_registry().get(options.process, PluginKind.PROCESS).cls())
    weighting = _WEIGHTINGS[options.weighting](std)
    config = TrainConfig(
        objective=ScoreMatching(process, _TIMES[options.times], weighting),
        images=options.images,
        batch=options.batch,
        learning_rate=options.learning_rate,
        schedule=WarmupStableDecay(decay=options.decay),
        ema=PowerLaw(options.ema),
        seed=options.seed,
        precision=Precision(options.precision.value),
        compiled=options.compiled,
        gradients=Sliced(workers=options.workers) if options.workers else WholeBatch(),
        device=options.device,
    )
    shape = tuple(data.samples.shape[1:])
    return Recipe(config, data, network_for(options.network, shape), Preconditioning(std, mean))


def network_for(choice: NetworkChoice, shape: tuple[int, ...]) -> UNetConfig | MLPConfig:
    """Sizes for samples of this shape; AUTO takes the U-Net from 16x16 pixels on.

    Raises BenchError where the shape does not suit the network.
    """
    channels, height, width = shape
    large = min(height, width) >= 16
    if choice is NetworkChoice.MLP or (choice is NetworkChoice.AUTO and not large):
        return MLPConfig(sample=shape)
    try:
        return UNetConfig(image=(channels, height, width))
    except ValueError as error:
        raise BenchError(f"network '{choice.value}': {error}; or pass --network mlp") from error
