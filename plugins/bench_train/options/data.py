"""Data, and the files that a training leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Data and files"


@dataclass(frozen=True)
class OutputOptions:
    """The folder of a training."""

    out: Annotated[
        Path,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Folder for checkpoint.pt and, at the end, weights.safetensors.",
        ),
    ]

    half: Annotated[
        bool,
        typer.Option(
            "--half/--no-half",
            rich_help_panel=_PANEL,
            help="Write matrices of the weights as float16: half the size, for shipping.",
        ),
    ] = False

    @property
    def checkpoint(self) -> Path:
        """The file to go on from."""
        return self.out / "checkpoint.pt"


@dataclass(frozen=True)
class DataOptions:
    """Training data."""

    data: Annotated[
        str,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Training data: 'digits' (8x8, from scikit-learn, trains in two minutes), 'mnist' "
            "(28x28, downloaded), an .npz file with x_train and x_test (classes: y_train, y_test), "
            "a folder or .zip file of images, train|test/CLASS/NAME.png or .jpg, or "
            "'model:NAME', exact samples of a model with a closed form: model:gaussian_mixture.",
        ),
    ] = "digits"
    levels: Annotated[
        int,
        typer.Option(
            rich_help_panel=_PANEL,
            help="For an .npz file: entries are integers from 0 to LEVELS - 1.",
        ),
    ] = 256
    name: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="Name of the data of a file or folder, for records and for what is measured "
            "against them. Default: that of the file.",
        ),
    ] = None
    licence: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_PANEL,
            help="What the publisher of a file or folder says about its use, for records.",
        ),
    ] = None
    data_dir: Annotated[
        Path, typer.Option(rich_help_panel=_PANEL, help="Folder for downloaded data.")
    ] = Path("data")


@dataclass(frozen=True)
class CheckpointOptions:
    """Checkpoints of a training."""

    checkpoint_s: Annotated[
        float, typer.Option(rich_help_panel=_PANEL, help="Seconds between checkpoints.")
    ] = 60.0
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", rich_help_panel=_PANEL, help="Go on from the checkpoint in OUT, exactly."
        ),
    ] = False
    export_only: Annotated[
        bool,
        typer.Option(
            "--export-only",
            rich_help_panel=_PANEL,
            help="Write the weights of OUT's checkpoint, and stop.",
        ),
    ] = False
