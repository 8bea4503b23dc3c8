"""Options of the commands, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_SAMPLER, _MODEL, _PICTURE = "Sampler", "Model", "Picture"

ModelName = Annotated[
    str,
    typer.Argument(
        help="A model that `bench plugins` lists, or YAML with parameters: '{name: trained, "
        "weights: runs/mnist/weights.safetensors}'."
    ),
]
Label = Annotated[
    int | None,
    typer.Option(
        rich_help_panel=_MODEL,
        help="The class of all samples, the parameter `label` of a conditional model.",
    ),
]


class Precision(StrEnum):
    """Arithmetic of state and network."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"


class Curve(StrEnum):
    """Ways from one code to another."""

    SLERP = "slerp"
    LINEAR = "linear"


@dataclass(frozen=True)
class PathOptions:
    """The process, the grid and the noise levels, and the machine."""

    process: Annotated[
        str,
        typer.Option(
            rich_help_panel=_SAMPLER, help="Noise process, or '{name: ve, sigma_max: 100.0}'."
        ),
    ] = "vp"
    grid: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_SAMPLER,
            help="Time grid: karras. Solvers that choose their own steps take none.",
        ),
    ] = None
    s_min: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_SAMPLER, help="Noise-to-signal ratio at the end: the model's."
        ),
    ] = None
    s_max: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_SAMPLER, help="Noise-to-signal ratio at the start: the model's."
        ),
    ] = None
    seed: Annotated[
        int, typer.Option(min=0, rich_help_panel=_SAMPLER, help="Seed of all noise.")
    ] = 0
    dtype: Annotated[
        Precision, typer.Option(rich_help_panel=_SAMPLER, help="Of state and network.")
    ] = Precision.FLOAT32
    device: Annotated[
        str, typer.Option(rich_help_panel=_SAMPLER, help="auto, cpu, cuda or cuda:INDEX.")
    ] = "auto"


@dataclass(frozen=True)
class FilmOptions:
    """Pictures of the way from noise to data."""

    filmstrip: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_PICTURE, help="PNG with x_t and D(x_t) along t, side by side."
        ),
    ] = None
    gif: Annotated[
        Path | None,
        typer.Option(rich_help_panel=_PICTURE, help="GIF with the same, one after the other."),
    ] = None
    frames: Annotated[
        int, typer.Option(min=2, max=200, rich_help_panel=_PICTURE, help="Times of these.")
    ] = 10
    film_samples: Annotated[
        int,
        typer.Option(
            min=1, max=64, rich_help_panel=_PICTURE, help="Images of these (512 for points)."
        ),
    ] = 4


Solver = Annotated[
    str,
    typer.Option(
        rich_help_panel=_SAMPLER,
        help="Solver, or YAML with parameters: '{name: dopri5, rtol: 1.0e-4}'.",
    ),
]
Budget = Annotated[
    int | None,
    typer.Option(
        min=1,
        rich_help_panel=_SAMPLER,
        help="Network evaluations, the final denoise included, as in `bench run`. Solvers that "
        "choose their own steps take none.",
    ),
]
Corrector = Annotated[
    str | None,
    typer.Option(rich_help_panel=_SAMPLER, help="Corrector after each step, such as langevin."),
]
Temperature = Annotated[
    float,
    typer.Option(
        min=0.0, rich_help_panel=_SAMPLER, help="Factor of the code from which a sample starts."
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        help="Picture (.png) of images or points, or array (.npz, .npy) of any samples, in the "
        "model's own units."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
