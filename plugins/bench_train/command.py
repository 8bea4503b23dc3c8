"""`bench train` and `bench train-classifier`: parse, call, print. torch is imported inside."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.core.errors import BenchError
from bench_train.launch import in_process_group, launch
from bench_train.options import (
    DataOptions,
    Machine,
    NetworkChoice,
    PrecisionChoice,
    ReferencePart,
    TimesChoice,
    WeightingChoice,
)
from bench_train.settings import PRESETS, Overrides, Settings, overridden, preset_of

if TYPE_CHECKING:
    from bench_train.loop import Housekeeping, TrainResult
    from bench_train.process_group import ProcessGroup
    from bench_train.recipe import Recipe

_WHAT = "What to train"
_OBJECTIVE = "Objective"
_OPTIMISATION = "Optimisation"
_COMPUTATION = "Computation"
_FILES = "Data and files"

TRAIN_EPILOG = """
Examples:

    bench train --out runs/digits
    bench train --out runs/mnist --preset ncsnpp-ve-small --data mnist
    bench train --out runs/cifar --preset ddpmpp-vp --data cifar10.npz --device cuda --processes 4
    bench train --out runs/cifar --preset ddpmpp-vp --data cifar10.npz --device cuda --resume

It leaves weights.safetensors in OUT, a model of `bench run`: trained, score_sde or edm, after its
network. A run that was cut goes on with --resume, the same options and any number of processes.
"""

DataOption = Annotated[
    str,
    typer.Option(
        rich_help_panel=_FILES,
        help="Training data: 'digits' (8x8, from scikit-learn, trains in two minutes), 'mnist' "
        "(28x28, downloaded) or an .npz file with x_train and x_test.",
    ),
]
LevelsOption = Annotated[
    int,
    typer.Option(
        rich_help_panel=_FILES, help="For an .npz file: entries are integers from 0 to LEVELS - 1."
    ),
]
DataDirOption = Annotated[
    Path, typer.Option(rich_help_panel=_FILES, help="Folder for downloaded data.")
]


def _list_presets(asked: bool) -> None:
    if not asked:
        return
    for name, settings in PRESETS.items():
        print(f"{name:30} {settings.described}")
    raise typer.Exit


def train_command(
    out: Annotated[
        Path,
        typer.Option(
            rich_help_panel=_FILES,
            help="Folder for checkpoint.pt and, at the end, weights.safetensors.",
        ),
    ],
    preset: Annotated[
        str,
        typer.Option(
            rich_help_panel=_WHAT,
            help="Settings of the field, published (ncsnpp-ve, ddpmpp-vp, ddpmpp-subvp, "
            "ddpmpp-vp-likelihood, edm-ddpmpp, ...) or small (ncsnpp-ve-small, ...). Options "
            "override it; the defaults that they tell are those without a preset.",
        ),
    ] = "",
    list_presets: Annotated[
        bool,
        typer.Option(
            "--list-presets",
            rich_help_panel=_WHAT,
            help="Print the presets, and stop.",
            is_eager=True,
            callback=_list_presets,
        ),
    ] = False,
    network: Annotated[
        NetworkChoice | None,
        typer.Option(
            rich_help_panel=_WHAT,
            help="Architecture. 'auto' (default) takes the small 'unet' from 16x16 pixels on, else "
            "the 'mlp'; 'ncsnpp' and 'ddpmpp' are score_sde's, 'edm-...' EDM's.",
        ),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_WHAT, help="Channels of NCSN++'s or DDPM++'s first level: 128."
        ),
    ] = None,
    mults: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_WHAT, help="Channels of its levels in units of that, such as 1,2,2,2."
        ),
    ] = None,
    blocks: Annotated[
        int | None, typer.Option(rich_help_panel=_WHAT, help="Its residual blocks per level: 4.")
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_WHAT, help="Its share of activations dropped in training: 0."
        ),
    ] = None,
    process: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_OBJECTIVE,
            help="Noise process to train under, any that `bench plugins` lists (default edm), or "
            "with parameters: '{name: ve, sigma_max: 100.0}'. Samplers may use another: a trained "
            "network is a denoiser D(y; s), whatever the process was.",
        ),
    ] = None,
    weighting: Annotated[
        WeightingChoice | None,
        typer.Option(
            rich_help_panel=_OBJECTIVE,
            help="lambda(t): 'edm' (default) equalises the network's own error, 'sigma2' is the "
            "eps loss, 'likelihood' (g^2, with --times uniform or importance) bounds the NLL, "
            "'none' is unweighted.",
        ),
    ] = None,
    times: Annotated[
        TimesChoice | None,
        typer.Option(
            rich_help_panel=_OBJECTIVE,
            help="Density of times: 'uniform' in t, EDM's 'lognormal' in s, 'loguniform' in s, "
            "'mixed' (default), half of either in s, best for both FID and NLL, or 'importance' "
            "for the likelihood weighting: the expectation of 'uniform' with less variance.",
        ),
    ] = None,
    summed: Annotated[
        bool | None,
        typer.Option(
            "--summed/--mean",
            rich_help_panel=_OBJECTIVE,
            help="Loss over a sample's entries: half their sum, or their mean (default). It "
            "matters for --clip alone.",
        ),
    ] = None,
    flips: Annotated[
        bool | None,
        typer.Option(
            "--flips/--no-flips",
            rich_help_panel=_OBJECTIVE,
            help="Mirror half of the images. Default: no.",
        ),
    ] = None,
    dequantise: Annotated[
        bool | None,
        typer.Option(
            "--dequantise/--no-dequantise",
            rich_help_panel=_OBJECTIVE,
            help="Add uniform noise to the integers, as likelihoods need it (default), or not.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Samples to train on, with repetition: 2,000,000. A resumed run may change it.",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Samples per optimiser step, over all processes: 256.",
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(rich_help_panel=_OPTIMISATION, help="Peak learning rate of Adam: 0.002."),
    ] = None,
    beta2: Annotated[
        float | None, typer.Option(rich_help_panel=_OPTIMISATION, help="Adam's second beta: 0.99.")
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION, help="Largest norm of the gradient: 1. 0 for none."
        ),
    ] = None,
    warmup: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION, help="Images over which the rate rises: 50,000."
        ),
    ] = None,
    decay: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Last fraction of the run over which the rate falls to zero: 0.4. 0: constant.",
        ),
    ] = None,
    ema: Annotated[
        list[float] | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Power-law average of the weights, its width relative to the run: 0.05. Repeat it "
            "and its siblings for several averages; naming any of the three replaces the preset's.",
        ),
    ] = None,
    ema_halflife: Annotated[
        list[int] | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Average whose memory halves in so many images, ramped up as EDM's.",
        ),
    ] = None,
    ema_rate: Annotated[
        list[float] | None,
        typer.Option(
            rich_help_panel=_OPTIMISATION,
            help="Average with a fixed rate per step, as score_sde's.",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            rich_help_panel=_OPTIMISATION, help="Seed of weights, order, noise and times."
        ),
    ] = 0,
    precision: Annotated[
        PrecisionChoice,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            help="'bfloat16' pays on GPUs and on CPUs with AMX, else it is slower; 'float16' is "
            "for GPUs without it (the loss is scaled); 'float64' is for checks.",
        ),
    ] = PrecisionChoice.FLOAT32,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile",
            rich_help_panel=_COMPUTATION,
            help="torch.compile: a minute, then faster.",
        ),
    ] = False,
    rows: Annotated[
        int | None,
        typer.Option(
            min=0,
            rich_help_panel=_COMPUTATION,
            help="Samples in one pass of the network, where memory or --processes ask for less "
            "than the batch. 0 (default): all that a process has.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            rich_help_panel=_COMPUTATION,
            help="CPU only: share slices of a batch out to so many threads of one core each, "
            "which bears other load on the machine. 0: whole batches, each operator on all cores.",
        ),
    ] = 0,
    processes: Annotated[
        int,
        typer.Option(
            min=1,
            rich_help_panel=_COMPUTATION,
            help="Processes that share each batch, one per GPU with --device cuda. Results differ "
            "in round-off alone. Over several machines: torchrun --no-python bench train ...",
        ),
    ] = 1,
    device: Annotated[
        str, typer.Option(rich_help_panel=_COMPUTATION, help="torch device: cpu, cuda, cuda:1, ...")
    ] = "cpu",
    threads: Annotated[
        int,
        typer.Option(
            rich_help_panel=_COMPUTATION, help="CPU threads; 0 leaves the choice to torch."
        ),
    ] = 0,
    data: DataOption = "digits",
    levels: LevelsOption = 256,
    data_dir: DataDirOption = Path("data"),
    checkpoint_s: Annotated[
        float, typer.Option(rich_help_panel=_FILES, help="Seconds between checkpoints.")
    ] = 60.0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", rich_help_panel=_FILES, help="Go on from the checkpoint in OUT, exactly."
        ),
    ] = False,
    export_only: Annotated[
        bool,
        typer.Option(
            "--export-only",
            rich_help_panel=_FILES,
            help="Write the weights of OUT's checkpoint, and stop.",
        ),
    ] = False,
) -> None:
    """Train a score model by continuous denoising score matching (Song et al. 2021)."""
    given = Overrides(
        network, width, _numbers("--mults", mults), blocks, dropout, process, weighting, times,
        summed, images, batch, rows, learning_rate, beta2, clip, warmup, decay, ema, ema_halflife,
        ema_rate, flips, dequantise,
    )  # fmt: skip
    settings = overridden(preset_of(preset), given)
    machine = Machine(precision, compiled, workers, device)
    if processes > 1 and not in_process_group():
        raise typer.Exit(launch(processes))
    job = Job(
        DataOptions(data, levels, data_dir), settings, machine, seed, threads, out, checkpoint_s
    )
    if export_only:
        _export(job)
    else:
        _run(job, resume)


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
    from bench_train.classifier import ClassifierTraining
    from bench_train.extractor import make_extractor
    from bench_train.recipe import read_data

    console = Console()
    result = make_extractor(
        read_data(DataOptions(data, levels, data_dir)),
        ClassifierTraining(epochs=epochs, batch=batch, shift=shift, seed=seed),
        _numbers("--widths", widths) or (),
        reference,
        out,
        _command_line(),
        lambda epoch, loss: console.print(f"epoch {epoch}: loss {loss:.4f}", highlight=False),
    )
    console.print(f"test accuracy {result.accuracy:.4f}; wrote {result.weights}", soft_wrap=True)
    console.print(f"statistics over {result.n} samples: {result.statistics}", soft_wrap=True)


@dataclass(frozen=True)
class Job:
    """A training as the command line asks for it, and where it leaves its files."""

    data: DataOptions
    settings: Settings
    machine: Machine
    seed: int
    threads: int
    out: Path
    checkpoint_s: float

    @property
    def checkpoint(self) -> Path:
        """The file to go on from."""
        return self.out / "checkpoint.pt"


def _recipe(job: Job, crew: ProcessGroup) -> Recipe:
    import torch

    from bench_train.process_group import own_device
    from bench_train.recipe import make_recipe, read_data

    if job.threads:
        torch.set_num_threads(job.threads)
    machine = replace(job.machine, device=own_device(job.machine.device))
    return make_recipe(job.settings, machine, job.seed, read_data(job.data), crew)


def _check_folder(checkpoint: Path, expected: bool) -> None:
    if checkpoint.exists() and not expected:
        raise BenchError(
            f"{checkpoint}: there is a training in this folder; pass --resume to go on with it, "
            "or another --out"
        )
    if expected and not checkpoint.exists():
        raise BenchError(f"{checkpoint}: there is no training to go on with; check --out")


def _run(job: Job, resume: bool) -> None:
    from bench_train.loop import Housekeeping, train
    from bench_train.process_group import assembled
    from bench_train.progress import shown_progress

    _check_folder(job.checkpoint, resume)
    with assembled(job.machine.device) as crew:
        console = Console(quiet=not crew.leads)
        recipe = _recipe(job, crew)
        with shown_progress(console, recipe.config.images) as report:
            pause = 1.0 if console.is_terminal else 10.0
            keeping: Housekeeping = Housekeeping(job.checkpoint, job.checkpoint_s, report, pause)
            result = train(recipe.config, recipe.initial(), recipe.data, keeping)
        if crew.leads:
            for path in _written(job, recipe, result):
                console.print(f"wrote {path}", soft_wrap=True)


def _export(job: Job) -> None:
    from bench_train.loop import average_at
    from bench_train.process_group import ProcessGroup

    _check_folder(job.checkpoint, expected=True)
    recipe = _recipe(job, ProcessGroup())
    result = average_at(recipe.config, recipe.initial(), job.checkpoint)
    for path in _written(job, recipe, result):
        Console().print(f"wrote {path}, after {result.images} images", soft_wrap=True)


def _written(job: Job, recipe: Recipe, result: TrainResult) -> list[Path]:
    """The files of all averages: the first is weights.safetensors, others have their label."""
    from bench_train.recipe import Told

    told, paths = Told(result.images, _command_line()), list[Path]()
    for label, network in result.averages.items():
        name = f"weights-{label}.safetensors" if paths else "weights.safetensors"
        paths.append(job.out / name)
        recipe.save(paths[-1], label, network, told)
    return paths


def _command_line() -> str:
    """How the program was called, without the path of this installation."""
    return shlex.join(["bench", *sys.argv[1:]])


def _numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise BenchError(f"{option} '{text}': give whole numbers such as 16,32,32") from error
