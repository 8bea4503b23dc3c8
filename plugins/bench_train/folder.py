"""Folders and .zip files of images, a folder for each class."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from bench.api import BenchError
from bench_train.split import DataSplit, Labelled

_SUFFIXES = (".jpg", ".jpeg", ".png")
_LAYOUT = "lay it out as train/CLASS/NAME.png (or .jpg) and test/CLASS/NAME.png"

Members = Mapping[PurePosixPath, Callable[[], bytes]]


def image_folder(path: Path) -> DataSplit:
    """The images ``train|test/CLASS/NAME`` of a folder or .zip file: bytes, all of one size.

    Classes are numbered from 0 in the order of their sorted names, as in torchvision's
    ImageFolder; images are in the order of class and name. Grey images have one channel, others
    three.

    Raises:
        BenchError: it cannot be read, or is laid out in another way.
    """
    try:
        if path.is_dir():
            files = sorted(path.glob("*/*/*"))
            found = [(PurePosixPath(f.relative_to(path).as_posix()), f.read_bytes) for f in files]
            return _split(path, dict(found))
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return _split(path, {PurePosixPath(n): partial(archive.read, n) for n in names})
    except (OSError, zipfile.BadZipFile) as error:
        raise BenchError(f"{path}: cannot read the images ({error}); {_LAYOUT}") from error


def _split(path: Path, members: Members) -> DataSplit:
    images = {
        name: read
        for name, read in members.items()
        if name.suffix.lower() in _SUFFIXES and len(name.parts) == 3
    }
    classes = sorted({name.parts[1] for name in images if name.parts[0] in ("train", "test")})
    train, test = (_part(path, images, part, classes) for part in ("train", "test"))
    if train.samples.shape[1:] != test.samples.shape[1:]:
        raise BenchError(f"{path}: images of train and test differ in shape; make them of one size")
    return DataSplit(path.stem, 256, f"that of {path.name}", train, test)


def _part(path: Path, images: Members, part: str, classes: Sequence[str]) -> Labelled:
    names = sorted(name for name in images if name.parts[0] == part)
    if not names:
        raise BenchError(f"{path}: there are no images {part}/CLASS/NAME; {_LAYOUT}")
    pixels = [_pixels(path, name, images[name]) for name in names]
    for name, image in zip(names, pixels, strict=True):
        if image.shape != pixels[0].shape:
            raise BenchError(
                f"{path}: {name} has shape {image.shape}, {names[0]} {pixels[0].shape}; make "
                "all images of one size"
            )
    labels = torch.tensor([classes.index(name.parts[1]) for name in names])
    return Labelled(torch.from_numpy(np.stack(pixels)), labels)


def _pixels(path: Path, name: PurePosixPath, read: Callable[[], bytes]) -> np.ndarray:
    """One image, uint8, (1 or 3, height, width)."""
    try:
        with Image.open(io.BytesIO(read())) as image:
            grey = image.mode in ("1", "L")
            pixels = np.asarray(image.convert("L" if grey else "RGB"))
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise BenchError(f"{path}: {name} is no image ({error}); replace or delete it") from error
    return pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))
