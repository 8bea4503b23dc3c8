"""Files of samples and codes, with their record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from bench.api import BenchError, ScoreModel, atomic_write_bytes, load_tensors
from bench_latents.pictures import draw_grid, require_picture
from bench_latents.record import KEY, Record, to_text

_SUFFIXES = (".png", ".npz", ".npy")
_REMEDY = "choose another place"


def check_out(out: Path, model: ScoreModel) -> None:
    """Refuse a file that could not be written at the end, before anything is computed.

    Raises:
        BenchError: its suffix is unknown, or there is no picture of such samples.
    """
    if out.suffix not in _SUFFIXES:
        raise BenchError(f"--out {out}: the suffix says what is written; use .png, .npz or .npy")
    if out.suffix == ".png":
        require_picture(model, f"--out {out}")


def write_samples(out: Path, x: Tensor, model: ScoreModel, record: Record, columns: int) -> None:
    """Write samples ``x`` (n, *shape) as what the suffix of ``out`` says.

    Raises:
        BenchError: the file cannot be written.
    """
    if out.suffix == ".png":
        write_png(out, draw_grid(model, x, columns), record)
    elif out.suffix == ".npz":
        write_arrays(out, {"samples": x}, record)
    else:
        buffer = BytesIO()
        np.save(buffer, x.cpu().numpy())
        atomic_write_bytes(out, buffer.getvalue(), _REMEDY)
        beside = out.with_name(out.name + ".json")
        atomic_write_bytes(beside, to_text(record).encode(), _REMEDY)


def write_png(out: Path, picture: Image.Image, record: Record) -> None:
    """Write a PNG with the record as text of the key ``scorebench``."""
    info, buffer = PngInfo(), BytesIO()
    info.add_text(KEY, to_text(record))
    picture.save(buffer, "PNG", pnginfo=info, optimize=True)
    atomic_write_bytes(out, buffer.getvalue(), _REMEDY)


def write_arrays(out: Path, arrays: Mapping[str, Tensor], record: Record) -> None:
    """Write an .npz of arrays, and of the record as the bytes of its JSON, ``record``."""
    buffer = BytesIO()
    text = np.frombuffer(to_text(record).encode(), dtype=np.uint8)
    plain = {name: item.cpu().numpy() for name, item in arrays.items()}
    np.savez(buffer, **plain, record=text)  # type: ignore[arg-type]
    atomic_write_bytes(out, buffer.getvalue(), _REMEDY)


def read_codes(path: Path) -> tuple[Tensor, Record]:
    """The codes of a file of `bench encode`, and its record ({} where there is none).

    Raises:
        BenchError: it cannot be read, or holds no codes.
    """
    tensors = load_tensors(path)
    codes = tensors.get("codes", tensors.get("samples") if path.suffix == ".npy" else None)
    if codes is None or not codes.is_floating_point() or codes.ndim < 2:
        raise BenchError(
            f"{path}: holds no array `codes` of real numbers (n, *shape); write it by "
            "`bench encode`"
        )
    if not bool(torch.isfinite(codes).all()):
        raise BenchError(f"{path}: some codes are not finite; encode again")
    if "record" not in tensors:
        return codes, {}
    try:
        record = json.loads(bytes(tensors["record"].numpy()))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise BenchError(f"{path}: `record` is damaged; encode again")
    return codes, record
