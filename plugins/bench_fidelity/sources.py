"""Where real images come from: a folder, a zip, a data set of torchvision; or statistics of them.

Every source has a digest of its content, by which what was computed from it is found again.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from bench.api import BenchError, cache_folder, file_sha256, offline
from bench_fidelity.catalogue import asset_of
from bench_fidelity.moments_file import MomentsFile

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")

# Those of torch-fidelity's registry, named here because its import takes two seconds.
DATASETS = (
    "cifar10-train",
    "cifar10-val",
    "cifar100-train",
    "cifar100-val",
    "stl10-train",
    "stl10-test",
    "stl10-unlabeled",
)

_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # of 8 bits
_LARGEST = 1 << 28  # bytes of one file in a zip


class ImageSource(ABC):
    """Real images, in an order of their own that never changes."""

    @abstractmethod
    def digest(self) -> str:
        """sha256 of names and content."""

    @abstractmethod
    def images(self) -> Iterator[Tensor]:
        """The images, uint8, (3, H, W)."""


Source = ImageSource | MomentsFile


def open_source(against: str, root: str | None, download: bool) -> Source:
    """The source that ``against`` names.

    Raises:
        BenchError: there is none, or it has no images.
    """
    if against in DATASETS:
        folder = cache_folder() / "datasets" if root is None else Path(root)
        return _dataset(against, folder.absolute(), download and not offline())
    path = next((asset.located() for asset in asset_of(against)), Path(against))
    if os.path.isdir(path):
        return Folder(path)
    if not os.path.exists(path):  # also of names that no file can have
        raise BenchError(
            f"'{against}': there is no such file or folder; name a folder or a .zip of images, an "
            f".npz of statistics, or one of {', '.join(DATASETS)}"
        )
    if path.suffix == ".zip":
        return Zip(path)
    if path.suffix == ".npz":
        return MomentsFile(path)
    raise BenchError(
        f"'{against}': unknown kind of file; use a folder or a .zip of images, or an .npz of "
        "statistics (unpickle others yourself and save `mu` and `sigma` with numpy.savez)"
    )


@dataclass(frozen=True)
class Folder(ImageSource):
    """The images of a folder and the folders in it, in the order of their names."""

    path: Path

    def _files(self) -> list[Path]:
        files = [p for p in self.path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
        if not files:
            raise BenchError(f"{self.path}: holds no images ({', '.join(SUFFIXES)})")
        return sorted(files, key=lambda p: p.relative_to(self.path).as_posix())

    def digest(self) -> str:
        digest = hashlib.sha256()
        for file in self._files():
            try:
                content = file_sha256(file)
            except OSError as error:
                raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
            digest.update(f"{file.relative_to(self.path).as_posix()}\0{content}\n".encode())
        return digest.hexdigest()

    def images(self) -> Iterator[Tensor]:
        for file in self._files():
            try:
                content = file.read_bytes()
            except OSError as error:
                raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
            yield _decoded(content, str(file))


@dataclass(frozen=True)
class Zip(ImageSource):
    """The images of a .zip, in the order of their names (EDM's data sets are such files)."""

    path: Path

    def digest(self) -> str:
        try:
            return file_sha256(self.path)
        except OSError as error:
            raise BenchError(f"{self.path}: cannot be read ({error.strerror})") from None

    def images(self) -> Iterator[Tensor]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [n for n in archive.namelist() if n.lower().endswith(SUFFIXES)]
                if not names:
                    raise BenchError(f"{self.path}: holds no images ({', '.join(SUFFIXES)})")
                for name in sorted(names):
                    if archive.getinfo(name).file_size > _LARGEST:
                        raise BenchError(f"{self.path}: {name} is no image: it is too large")
                    yield _decoded(archive.read(name), f"{self.path}: {name}")
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as e:
            raise BenchError(f"{self.path}: cannot be read ({e}); fetch it again") from None


@dataclass(frozen=True, eq=False)
class TorchvisionSet(ImageSource):
    """A data set of torchvision, through torch-fidelity's registry."""

    name: str
    dataset: Any

    @cached_property
    def _content(self) -> str:
        data = np.ascontiguousarray(self.dataset.data)
        return hashlib.sha256(f"{self.name} {data.shape}\n".encode() + data.tobytes()).hexdigest()

    def digest(self) -> str:
        return self._content

    def images(self) -> Iterator[Tensor]:
        for i in range(len(self.dataset)):
            yield self.dataset[i]


@lru_cache(maxsize=2)
def _dataset(name: str, root: Path, download: bool) -> TorchvisionSet:
    from torch_fidelity.registry import DATASETS_REGISTRY

    try:
        if download:
            root.mkdir(parents=True, exist_ok=True)
        return TorchvisionSet(name, DATASETS_REGISTRY[name](str(root), download))
    except (RuntimeError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = (
            "check the connection, or put the data set there yourself"
            if download
            else "put torchvision's files there, name another folder with `root`, or allow the "
            "download with `download: true`"
        )
        raise BenchError(f"data set '{name}' in {root}: {reason}; {remedy}") from None


def _decoded(content: bytes, name: str) -> Tensor:
    """The image in a file's ``content``, (3, H, W); other modes become RGB as torch-fidelity's."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode not in _MODES:
                raise BenchError(f"{name}: has pixels of mode {image.mode}, not of 8 bits")
            pixels = np.array(image.convert("RGB"))
    except UnidentifiedImageError:
        raise BenchError(f"{name}: is no image that can be read; remove it") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BenchError(f"{name}: is damaged ({error}); replace it") from None
    return torch.from_numpy(pixels).permute(2, 0, 1)
