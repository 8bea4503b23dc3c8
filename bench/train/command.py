"""`bench train` and `bench train-classifier`: parse, call, print. torch is imported inside."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.core.errors import BenchError
from bench.train.options import (
    DataOptions,
    NetworkChoice,
    PrecisionChoice,
    ReferencePart,
    TimesChoice,
    TrainOptions,
    WeightingChoice,
)

if TYPE_CHECKING:
    from bench.train.loop import Housekeeping
    from bench.train.recipe import Recipe

DataOption = Annotated[
    str,
    typer.Option(
        help="Training data: 'digits' (8x8, from scikit-learn, trains in two minutes), 'mnist' "
        "(28x28, downloaded) or an .npz file with x_train and x_test."
    ),
]
LevelsOption = Annotated[
    int, typer.Option(help="For an .npz file: entries are integers from 0 to LEVELS - 1.")
]
DataDirOption = Annotated[Path, typer.Option(help="Folder for downloaded data.")]


def train_command(
    out: Annotated[
        Path, typer.Option(help="Folder for checkpoint.pt and, at the end, weights.safetensors.")
    ],
    data: DataOption = "digits",
    levels: LevelsOption = 256,
    data_dir: DataDirOption = Path("data"),
    network: Annotated[
        NetworkChoice,
        typer.Option(help="Architecture; 'auto' takes the U-Net from 16x16 pixels on."),
    ] = NetworkChoice.AUTO,
    process: Annotated[
        str,
        typer.Option(
            help="Noise process to train under, any that `bench plugins` lists. Samplers may use "
            "another: a trained network is a denoiser D(y; s), whatever the process was."
        ),
    ] = "edm",
    weighting: Annotated[
        WeightingChoice,
        typer.Option(
            help="lambda(t): 'edm' equalises the network's own error, 'sigma2' is the eps loss, "
            "'likelihood' (g^2, with --times uniform) bounds the NLL, 'none' is unweighted."
        ),
    ] = WeightingChoice.EDM,
    times: Annotated[
        TimesChoice,
        typer.Option(
            help="Density of times: 'uniform' in t, EDM's 'lognormal' in s, 'loguniform' in s, "
            "or 'mixed', half of either in s, best for both FID and NLL."
        ),
    ] = TimesChoice.MIXED,
    images: Annotated[
        int, typer.Option(help="Samples to train on, with repetition. A resumed run may change it.")
    ] = 2_000_000,
    batch: Annotated[int, typer.Option(help="Samples per optimiser step.")] = 256,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of Adam.")] = 2e-3,
    decay: Annotated[
        float, typer.Option(help="Last fraction of the run over which the rate falls to zero.")
    ] = 0.4,
    ema: Annotated[
        float,
        typer.Option(help="Width of the weight average, relative to the length of the run."),
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of weights, order, noise and times.")] = 0,
    precision: Annotated[
        PrecisionChoice,
        typer.Option(help="'bfloat16' pays on GPUs and on CPUs with AMX; else it is slower."),
    ] = PrecisionChoice.FLOAT32,
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="torch.compile: a minute, then faster.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            help="CPU only: share slices of a batch out to so many threads of one core each, "
            "which bears other load on the machine. 0: whole batches, each operator on all cores."
        ),
    ] = 0,
    device: Annotated[str, typer.Option(help="torch device: cpu, cuda, cuda:1, ...")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.")] = 0,
    checkpoint_s: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 60.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in OUT, exactly.")
    ] = False,
    export_only: Annotated[
        bool, typer.Option("--export-only", help="Write the weights of OUT's checkpoint, and stop.")
    ] = False,
) -> None:
    """Train a score model by continuous denoising score matching (Song et al. 2021)."""
    options = TrainOptions(
        network, process, weighting, times, images, batch, learning_rate, decay, ema, seed,
        precision, compiled, workers, device,
    )  # fmt: skip
    recipe = _recipe(DataOptions(data, levels, data_dir), options, threads)
    checkpoint = out / "checkpoint.pt"
    _check_folder(checkpoint, resume or export_only)
    if export_only:
        _export(recipe, checkpoint, out / "weights.safetensors")
    else:
        _run(recipe, checkpoint, checkpoint_s, out / "weights.safetensors")


def train_classifier_command(
    out: Annotated[
        Path, typer.Option(help="Folder for DATA_classifier and DATA_reference .safetensors.")
    ],
    data: DataOption = "digits",
    levels: LevelsOption = 256,
    data_dir: DataDirOption = Path("data"),
    epochs: Annotated[int, typer.Option(help="Passes over the training data.")] = 15,
    batch: Annotated[int, typer.Option(help="Samples per optimiser step.")] = 250,
    shift: Annotated[int, typer.Option(help="Augmentation: largest shift in pixels.")] = 2,
    widths: Annotated[
        str, typer.Option(help="Channels of the convolution stages, comma-separated.")
    ] = "16,32,32",
    seed: Annotated[int, typer.Option(help="Seed of weights, order and shifts.")] = 0,
    reference: Annotated[
        ReferencePart, typer.Option(help="Samples behind the reference statistics.")
    ] = ReferencePart.TRAIN,
) -> None:
    """Train a small classifier, the feature extractor of a Frechet distance, and its statistics."""
    from bench.train.classifier import ClassifierTraining
    from bench.train.extractor import make_extractor
    from bench.train.recipe import read_data

    console = Console()
    result = make_extractor(
        read_data(DataOptions(data, levels, data_dir)),
        ClassifierTraining(epochs=epochs, batch=batch, shift=shift, seed=seed),
        _numbers(widths),
        reference,
        out,
        _command_line(),
        lambda epoch, loss: console.print(f"epoch {epoch}: loss {loss:.4f}", highlight=False),
    )
    console.print(f"test accuracy {result.accuracy:.4f}; wrote {result.weights}", soft_wrap=True)
    console.print(f"statistics over {result.n} samples: {result.statistics}", soft_wrap=True)


def _recipe(data: DataOptions, options: TrainOptions, threads: int) -> Recipe:
    import torch

    from bench.train.recipe import make_recipe, read_data

    if threads:
        torch.set_num_threads(threads)
    return make_recipe(options, read_data(data))


def _check_folder(checkpoint: Path, expected: bool) -> None:
    if checkpoint.exists() and not expected:
        raise BenchError(
            f"{checkpoint}: there is a training in this folder; pass --resume to go on with it, "
            "or another --out"
        )
    if expected and not checkpoint.exists():
        raise BenchError(f"{checkpoint}: there is no training to go on with; check --out")


def _run(recipe: Recipe, checkpoint: Path, checkpoint_s: float, weights: Path) -> None:
    from bench.train.loop import Housekeeping, train
    from bench.train.progress import shown_progress
    from bench_models.networks.storing import save_network

    console = Console()
    with shown_progress(console, recipe.config.images) as report:
        pause = 1.0 if console.is_terminal else 10.0
        keeping: Housekeeping = Housekeeping(checkpoint, checkpoint_s, report, pause)
        result = train(recipe.config, recipe.initial(), recipe.data, keeping)
    save_network(weights, result.average, recipe.metadata(result.images, _command_line()))
    console.print(f"wrote {weights}", soft_wrap=True)


def _export(recipe: Recipe, checkpoint: Path, weights: Path) -> None:
    from bench.train.loop import average_at
    from bench_models.networks.storing import save_network

    result = average_at(recipe.config, recipe.initial(), checkpoint)
    save_network(weights, result.average, recipe.metadata(result.images, _command_line()))
    Console().print(f"wrote {weights}, after {result.images} images", soft_wrap=True)


def _command_line() -> str:
    """How the program was called, without the path of this installation."""
    return shlex.join(["bench", *sys.argv[1:]])


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise BenchError(f"--widths '{text}': give whole numbers such as 16,32,32") from error
