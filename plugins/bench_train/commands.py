"""`bench train` and `bench train-classifier`; their modules with torch are imported when called."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

import typer

from bench.extend import Command, hookimpl
from bench_train.launch import in_process_group, launch
from bench_train.options.classifier import ClassifierOptions, ExtractorOptions
from bench_train.options.computation import ComputationOptions
from bench_train.options.data import CheckpointOptions, DataOptions, OutputOptions
from bench_train.options.network import NetworkOptions
from bench_train.options.objective import ObjectiveOptions
from bench_train.options.optimisation import AverageOptions, OptimiserOptions, SeedOptions
from bench_train.options.signature import make_command
from bench_train.overrides import override
from bench_train.presets import preset_of

_EPILOG = """
Examples:

    bench train --out runs/digits
    bench train --out runs/mnist --preset ncsnpp-ve-small --data mnist
    bench train --out runs/cifar --preset ddpmpp-vp --data cifar10.npz --device cuda --processes 4
    bench train --out runs/cifar --preset ddpmpp-vp --data cifar10.npz --device cuda --resume

It leaves weights.safetensors in OUT, a model of `bench run`: trained, score_sde or edm, after its
network. A run that was cut goes on with --resume, the same options and any number of processes.
"""


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [
        Command("train", make_command(train), _EPILOG, rank=80),
        Command("train-classifier", make_command(train_classifier), rank=81),
    ]


def train(
    output: OutputOptions,
    network: NetworkOptions,
    objective: ObjectiveOptions,
    optimiser: OptimiserOptions,
    averages: AverageOptions,
    seed: SeedOptions,
    computation: ComputationOptions,
    data: DataOptions,
    checkpoint: CheckpointOptions,
) -> None:
    """Train a score model by continuous denoising score matching (Song et al. 2021)."""
    preset = preset_of(network.preset)
    settings = override(preset, network, objective, optimiser, averages, computation)
    if computation.processes > 1 and not in_process_group():
        raise typer.Exit(launch(computation.processes))

    from bench_train.job import Job

    job = Job(settings, computation, seed.seed, data, output, _command_line(), network.init)
    if checkpoint.export_only:
        job.export()
    else:
        job.run(checkpoint.resume, checkpoint.checkpoint_s)


def train_classifier(
    extractor: ExtractorOptions, data: DataOptions, classifier: ClassifierOptions
) -> None:
    """Train a small classifier: of clean images, the feature extractor of a Frechet distance with
    its statistics, or under --noise of noised samples, for classifier guidance.
    """
    from bench_train.classifier_job import train_clean, train_noisy

    job = train_noisy if classifier.noise else train_clean
    job(extractor.out, classifier, data, _command_line())


def _command_line() -> str:
    """The call of the program, without the path of this installation."""
    return shlex.join(["bench", *sys.argv[1:]])
