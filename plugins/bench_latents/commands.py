"""`bench sample`, `encode`, `decode` and `interpolate`; torch is imported when they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.extend import Command, hookimpl
from bench_latents.options import (
    Budget,
    Corrector,
    Curve,
    FilmOptions,
    Json,
    Label,
    ModelName,
    Out,
    PathOptions,
    Solver,
    Temperature,
)
from bench_train.options.signature import make_command

_SAMPLE = """
Examples:

    bench sample mnist_unet --out samples.png
    bench sample mnist_unet --solver edm_heun --nfe 35 --samples 100 --filmstrip film.png
    bench sample gaussian_mixture --solver ancestral --corrector langevin --nfe 100 --out points.png
    bench sample '{name: trained, weights: runs/vp/weights.safetensors}' --process ve --out x.npz

Samples are those of a cell of `bench run` with the same names, budget and seed, to the last bit.
PNG and .npz files hold the record of how they were made (`scorebench`), which --json prints.
"""
_ENCODE = """
Examples:

    bench encode mnist_unet --out codes.npz
    bench encode mnist_unet --data photo.png --nfe 200 --out codes.npz
    bench encode gaussian_mixture --solver '{name: dopri5, rtol: 1.0e-6}' --out codes.npz

The file holds `codes`, in the units of N(0, I), and the `data` that were encoded.
"""
_DECODE = """
Examples:

    bench decode mnist_unet codes.npz --out decoded.png
    bench decode digits_mlp_deep codes.npz --temperature 0.9 --out decoded.npz
"""
_INTERPOLATE = """
Examples:

    bench interpolate mnist_unet --out between.png
    bench interpolate mnist_unet --data held_out --pairs 6 --steps 11 --out between.png
    bench interpolate digits_mlp --how linear --seed 3 --out between.npz
"""


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [
        Command("sample", make_command(sample), _SAMPLE, rank=60),
        Command("encode", make_command(encode), _ENCODE, rank=61),
        Command("decode", make_command(decode), _DECODE, rank=62),
        Command("interpolate", make_command(interpolate), _INTERPOLATE, rank=63),
    ]


@dataclass(frozen=True)
class SampleOptions:
    """Options of `bench sample`."""

    model: ModelName
    out: Out = Path("samples.png")
    solver: Solver = "dpmpp_2m"
    nfe: Budget = None
    corrector: Corrector = None
    samples: Annotated[int, typer.Option(min=1, help="Number of samples.")] = 64
    temperature: Temperature = 1.0
    label: Label = None
    json: Json = False


@dataclass(frozen=True)
class EncodeOptions:
    """Options of `bench encode`."""

    model: ModelName
    out: Annotated[Path, typer.Option(help="File of codes and data (.npz).")] = Path("codes.npz")
    data: Annotated[
        str,
        typer.Option(
            help="'held_out': held-out data, or exact samples of a closed form. Else a file: .npz "
            "or .npy with `samples` (whole numbers are levels, others the model's units), or .png."
        ),
    ] = "held_out"
    points: Annotated[int, typer.Option(min=1, help="Most data points that are encoded.")] = 64
    solver: Solver = "edm_heun"
    nfe: Budget = None
    round_trip: Annotated[
        bool, typer.Option(help="Decode again, and tell the error of the round trip.")
    ] = True
    label: Label = None
    json: Json = False


@dataclass(frozen=True)
class DecodeOptions:
    """Options of `bench decode`."""

    model: ModelName
    codes: Annotated[Path, typer.Argument(help="File of `bench encode`, or any with `codes`.")]
    out: Out = Path("decoded.png")
    solver: Solver = "edm_heun"
    nfe: Budget = None
    temperature: Temperature = 1.0
    label: Label = None
    json: Json = False


@dataclass(frozen=True)
class InterpolateOptions:
    """Options of `bench interpolate`."""

    model: ModelName
    out: Out = Path("interpolation.png")
    pairs: Annotated[int, typer.Option(min=1, max=64, help="Pairs of codes, a row each.")] = 4
    steps: Annotated[
        int, typer.Option(min=2, max=100, help="Samples from one to the other, both included.")
    ] = 9
    how: Annotated[
        Curve,
        typer.Option(help="Along the great circle, or straight with the norm interpolated too."),
    ] = Curve.SLERP
    data: Annotated[
        str | None,
        typer.Option(help="Data whose codes are taken, as in `bench encode`; else noise is."),
    ] = None
    solver: Solver = "edm_heun"
    nfe: Budget = None
    temperature: Temperature = 1.0
    label: Label = None
    json: Json = False


def sample(options: SampleOptions, path: PathOptions, film: FilmOptions) -> None:
    """Draw samples of a model, and write a picture or an array of them."""
    from bench_latents.sampling import draw_samples

    _call(lambda: draw_samples(options, path, film))


def encode(options: EncodeOptions, path: PathOptions) -> None:
    """Write the latent codes of data under the probability-flow ODE."""
    from bench_latents.coding import encode_data

    _call(lambda: encode_data(options, path))


def decode(options: DecodeOptions, path: PathOptions) -> None:
    """Write the samples that latent codes stand for."""
    from bench_latents.coding import decode_codes

    _call(lambda: decode_codes(options, path))


def interpolate(options: InterpolateOptions, path: PathOptions) -> None:
    """Write samples along the way from one latent code to another."""
    from bench_latents.between import interpolate_codes

    _call(lambda: interpolate_codes(options, path))


def _call(run: Callable[[], None]) -> None:
    """Run what needs torch as cells do: without gradients, float32 as float32."""
    import torch

    from bench.api import tf32

    with tf32(False), torch.no_grad():
        run()
