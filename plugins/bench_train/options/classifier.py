"""Options of `bench train-classifier` beside the data's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench_train.options.choices import PrecisionChoice, ReferencePart


@dataclass(frozen=True)
class ExtractorOptions:
    """The folder of an extractor."""

    out: Annotated[
        Path, typer.Option(help="Folder for DATA_classifier and DATA_reference .safetensors.")
    ]


@dataclass(frozen=True)
class ClassifierOptions:
    """The training, the network, and the samples behind the statistics."""

    epochs: Annotated[int, typer.Option(help="Passes over the training data.")] = 15
    batch: Annotated[int, typer.Option(help="Samples per optimiser step.")] = 250
    noise: Annotated[
        bool,
        typer.Option(
            "--noise",
            help="Classify noised samples (the class given y at s), for classifier guidance, "
            "and write no statistics.",
        ),
    ] = False
    process: Annotated[
        str | None,
        typer.Option(
            help="With --noise: the process whose noise levels it is to know, edm, or with "
            "parameters: '{name: ve, sigma_max: 100.0}'."
        ),
    ] = None
    shift: Annotated[
        int | None,
        typer.Option(help="Augmentation of clean images: largest shift in pixels, 2."),
    ] = None
    flips: Annotated[
        bool, typer.Option("--flips/--no-flips", help="Augmentation: mirror half of the images.")
    ] = False
    precision: Annotated[
        PrecisionChoice, typer.Option(help="Arithmetic of the network, as in `bench train`.")
    ] = PrecisionChoice.FLOAT32
    network: Annotated[
        str | None,
        typer.Option(
            help="Classifier, any that `bench plugins` lists, or with parameters: '{name: "
            "classifier, widths: [8, 16]}'. Default: classifier; encoder with --noise."
        ),
    ] = None
    widths: Annotated[
        str | None,
        typer.Option(help="Channels of the convolution stages, comma-separated: 16,32,32."),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of weights, order and shifts.")] = 0
    reference: Annotated[
        ReferencePart | None,
        typer.Option(help="Samples behind the reference statistics of clean images: train."),
    ] = None
