"""Options of `bench train-classifier` beside the data's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench_train.options.choices import ReferencePart


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
    shift: Annotated[int, typer.Option(help="Augmentation: largest shift in pixels.")] = 2
    network: Annotated[
        str,
        typer.Option(
            help="Classifier, any that `bench plugins` lists, or with parameters: '{name: "
            "classifier, widths: [8, 16]}'."
        ),
    ] = "classifier"
    widths: Annotated[
        str | None,
        typer.Option(help="Channels of the convolution stages, comma-separated: 16,32,32."),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of weights, order and shifts.")] = 0
    reference: Annotated[
        ReferencePart, typer.Option(help="Samples behind the reference statistics.")
    ] = ReferencePart.TRAIN
