"""Trainings of classifiers as the command line describes them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bench.api import BenchError, TrainableClassifier
from bench_train.classifier import ClassifierTraining
from bench_train.config import Precision
from bench_train.extractor import ExtractorRecipe
from bench_train.noisy import ClassifiesNoise, NoisyRecipe, NoisyTraining
from bench_train.options.choices import ReferencePart
from bench_train.options.classifier import ClassifierOptions
from bench_train.options.data import DataOptions
from bench_train.options.numbers import whole_numbers
from bench_train.plugin_options import parse_classifier, parse_process
from bench_train.progress import show_progress
from bench_train.sources import read_data


def train_clean(out: Path, options: ClassifierOptions, data: DataOptions, command: str) -> None:
    """Train a classifier of clean images, and write it with its statistics.

    Raises:
        BenchError: the options make no sense, or the data have no labels.
    """
    if options.process is not None:
        raise BenchError("--process is of noised samples; pass --noise, too, or leave it out")
    console = Console()
    shift = {} if options.shift is None else {"shift": options.shift}
    training = ClassifierTraining(
        options.epochs,
        options.batch,
        seed=options.seed,
        flips=options.flips,
        precision=Precision(options.precision.value),
        **shift,
    )
    result = ExtractorRecipe(
        read_data(data),
        _network(options, "classifier"),
        training,
        options.reference or ReferencePart.TRAIN,
        command,
    ).make(
        out, lambda epoch, loss: console.print(f"epoch {epoch}: loss {loss:.4f}", highlight=False)
    )
    console.print(f"test accuracy {result.accuracy:.4f}; wrote {result.weights}", soft_wrap=True)
    console.print(f"statistics over {result.n} samples: {result.statistics}", soft_wrap=True)


def train_noisy(out: Path, options: ClassifierOptions, data: DataOptions, command: str) -> None:
    """Train a classifier of noised samples, and write it.

    Raises:
        BenchError: the options make no sense, or the data have no labels.
    """
    for name in ("shift", "reference"):
        if getattr(options, name) is not None:
            raise BenchError(f"--{name} is of clean images; leave it out with --noise")
    network = _network(options, "encoder")
    if not isinstance(network, ClassifiesNoise):
        raise BenchError(
            f"--noise: classifier '{network.name}' takes no noised samples; pass --network encoder"
        )
    training = NoisyTraining(
        options.epochs,
        options.batch,
        flips=options.flips,
        seed=options.seed,
        precision=Precision(options.precision.value),
    )
    process = parse_process(options.process or "edm")
    recipe = NoisyRecipe(read_data(data), network, process, training, command)
    console = Console()
    with show_progress(console, recipe.images) as report:
        path, tested = recipe.make(out, report)
    for s, accuracy in tested.accuracy.items():
        console.print(
            f"s = {s:g}: test accuracy {accuracy:.4f}, {tested.nll[s]:.4f} nats", highlight=False
        )
    console.print(f"wrote {path}", soft_wrap=True)


def _network(options: ClassifierOptions, default: str) -> TrainableClassifier:
    widths = None if options.widths is None else whole_numbers("--widths", options.widths)
    return parse_classifier(options.network or default, widths)
