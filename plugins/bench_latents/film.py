"""The way from noise to data: x_t and D(x_t) at a few times."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from bench.api import (
    SHARD,
    CountedDenoiser,
    Denoiser,
    Problem,
    ScoreModel,
    Trial,
    atomic_write_bytes,
    unit_interval,
)
from bench_latents.files import write_png
from bench_latents.options import FilmOptions
from bench_latents.pictures import draw_scatter, is_points, require_picture, tile, to_pixels
from bench_latents.record import Record, to_text

_POINTS = 512
_MILLISECONDS = 150


@dataclass(frozen=True, eq=False)
class Film:
    """Samples on their way.

    Attributes:
        levels: noise-to-signal ratios of the frames, falling.
        x: the states in variance-preserving coordinates, y / sqrt(1 + s^2), in which all processes
            show alike; (frames, n, *shape). The last are the samples themselves.
        d: their denoised samples, of the same shape.
    """

    levels: tuple[float, ...]
    x: Tensor
    d: Tensor


@dataclass(frozen=True, eq=False)
class _Call:
    """One evaluation of the network."""

    s: float
    y: Tensor
    d: Tensor


def check_film(film: FilmOptions, model: ScoreModel) -> None:
    """Refuse what there is no picture of, before anything is computed.

    Raises:
        BenchError: the samples are neither images nor points.
    """
    for option, out in (("--filmstrip", film.filmstrip), ("--gif", film.gif)):
        if out is not None:
            require_picture(model, f"{option} {out}")


def write_films(film: FilmOptions, trial: Trial, record: Record) -> list[Path]:
    """Write the filmstrip and the GIF that are asked for; their paths."""
    written: list[Path] = []
    if film.filmstrip is None and film.gif is None:
        return written
    shown = _POINTS if is_points(trial.model) else film.film_samples
    taken = shoot(trial, min(shown, trial.draw.samples), film.frames)
    if film.filmstrip is not None:
        write_png(film.filmstrip, _strip(trial.model, taken), record)
        written.append(film.filmstrip)
    if film.gif is not None:
        _write_gif(film.gif, trial.model, taken, record)
        written.append(film.gif)
    return written


def shoot(trial: Trial, samples: int, frames: int) -> Film:
    """The first ``samples`` of a trial at the evaluations nearest to the frames' noise levels.

    The levels are equally spaced in s^(1/7) (Karras et al. 2022, arXiv:2206.00364, Eq. 5). Each
    frame is an evaluation that the solver made, the stages of its steps included, so that a film
    costs no other ones.
    """
    stepper = trial.sampler.stepper
    single = trial.sampler.adaptive and not stepper.batch_coupled  # each has steps of its own
    draw = replace(trial.draw, samples=samples, batch=1 if single else SHARD)
    low, high = (s ** (1 / 7) for s in trial.span)
    levels = tuple(((high + (low - high) * unit_interval(frames - 1)) ** 7).tolist())
    counted, x, d = CountedDenoiser(trial.model.denoiser), list[Tensor](), list[Tensor]()
    for first, count in draw.slices():
        own = counted.of_samples(draw.seed, first, count, draw.device)
        calls: list[_Call] = []
        noise = draw.sampler_noise(first, count)
        problem = Problem(trial.process, _recorder(own, calls), noise, trial.log_prob)
        end = trial.sampler.run(problem, draw.prior(trial.times[0], first, count), trial.times)
        near = [min(calls, key=lambda call: abs(math.log(call.s / s))) for s in levels[:-1]]
        x.append(torch.stack([*(c.y / math.hypot(1.0, c.s) for c in near), end]))
        d.append(torch.stack([*(c.d for c in near), end]))
    return Film(levels, torch.cat(x, 1), torch.cat(d, 1))


def _recorder(model: Denoiser, calls: list[_Call]) -> Denoiser:
    def denoise(y: Tensor, s: Tensor) -> Tensor:
        d = model(y, s)
        calls.append(_Call(float(s.flatten()[0]), y, d))
        return d

    return denoise


def _strip(model: ScoreModel, film: Film) -> Image.Image:
    """A row of x_t and a row of D for each sample; of points one of each for all."""
    frames = len(film.levels)
    if is_points(model):
        titles = [f"x, s = {s:.2g}" for s in film.levels] + [f"D, s = {s:.2g}" for s in film.levels]
        return draw_scatter([*film.x, *film.d], frames, titles, _limit(film))
    both = torch.stack([film.x, film.d], 2)  # frames, samples, kinds
    rows = both.permute(1, 2, 0, *range(3, both.ndim)).flatten(0, 2)
    return tile(to_pixels(model, rows), frames)


def _write_gif(out: Path, model: ScoreModel, film: Film, record: Record) -> None:
    """x_t above D, frame by frame; the last one stays."""
    if is_points(model):
        pages = [
            draw_scatter([x, d], 2, [f"x, s = {s:.2g}", f"D, s = {s:.2g}"], _limit(film))
            for s, x, d in zip(film.levels, film.x, film.d, strict=True)
        ]
    else:
        pages = [
            tile(to_pixels(model, torch.cat([x, d])), len(x))
            for x, d in zip(film.x, film.d, strict=True)
        ]
    first, *others = pages
    buffer = BytesIO()
    times = [_MILLISECONDS] * len(others) + [10 * _MILLISECONDS]
    comment = to_text(record).encode()
    first.save(
        buffer, "GIF", save_all=True, append_images=others, duration=times, loop=0, comment=comment
    )
    atomic_write_bytes(out, buffer.getvalue(), "choose another place")


def _limit(film: Film) -> float:
    return 1.05 * float(max(film.x.abs().max(), film.d.abs().max()))
