"""The data of `bench encode`: held-out data, exact samples, or a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from bench.api import BenchError, Draw, NoiseStream, ScoreModel, load_tensors
from bench_plugins.latents.points import data_points

HELD_OUT = "held_out"


def read_points(text: str, model: ScoreModel, draw: Draw, s_min: float) -> Tensor:
    """The data that ``--data`` names, at most ``draw.samples``, normalised, (n, *shape).

    Integer levels are uniformly dequantised with the seed's noise, so that n of them are equal
    however many there are; exact samples of a closed form have noise of level ``s_min``.

    Raises:
        BenchError: there are none, they cannot be read, or they are of another shape.
    """
    if text == HELD_OUT:
        return data_points(model, draw, draw.samples, s_min).y
    file = Path(text)
    data = _read_picture(file, model) if file.suffix == ".png" else _read_array(file)
    if tuple(data.shape[1:]) != model.shape or not len(data):
        raise BenchError(
            f"--data {text}: samples of shape {tuple(data.shape[1:])}; the model's are "
            f"{model.shape}"
        )
    data = data[: draw.samples]
    if data.is_floating_point():
        if not bool(torch.isfinite(data).all()):
            raise BenchError(f"--data {text}: some numbers are not finite; mend the file")
        return data.to(draw.device, draw.dtype)
    return _dequantise(text, data, model, draw)


def _dequantise(text: str, data: Tensor, model: ScoreModel, draw: Draw) -> Tensor:
    discrete = model.target.discrete
    if discrete is None:
        raise BenchError(f"--data {text}: holds whole numbers; the model's data are real ones")
    if int(data.min()) < 0 or int(data.max()) >= discrete.levels:
        raise BenchError(
            f"--data {text}: holds numbers from {int(data.min())} to {int(data.max())}; levels go "
            f"from 0 to {discrete.levels - 1}, and real numbers are the model's own units"
        )
    noise = NoiseStream(draw.seed, "dequantise", 0, len(data), draw.shape, torch.float64)
    return discrete.dequantise(data, noise).to(draw.device, draw.dtype)


def _read_array(file: Path) -> Tensor:
    tensors = load_tensors(file)
    if "samples" not in tensors:
        raise BenchError(f"--data {file}: holds {', '.join(tensors)}, but no array 'samples'")
    data = tensors["samples"]
    if data.dtype is torch.bool or data.is_complex() or data.ndim < 2:
        raise BenchError(f"--data {file}: 'samples' must hold numbers, (n, *shape)")
    return data


def _read_picture(file: Path, model: ScoreModel) -> Tensor:
    """One picture as levels, (1, channels, height, width)."""
    if model.target.discrete is None or len(model.shape) != 3 or model.shape[0] not in (1, 3):
        raise BenchError(f"--data {file}: the model's samples {model.shape} are no images")
    try:
        with Image.open(file) as picture:
            pixels = np.array(picture.convert("L" if model.shape[0] == 1 else "RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BenchError(f"--data {file}: cannot be read ({reason}); check the path") from None
    bytes_ = torch.from_numpy(pixels.reshape(*pixels.shape[:2], model.shape[0]))
    last = model.target.discrete.levels - 1  # pictures of samples show level k as k (255 // last)
    levels = (bytes_.double() / (255 // last)).round().clamp_max(last).to(torch.int64)
    return levels.permute(2, 0, 1)[None]
