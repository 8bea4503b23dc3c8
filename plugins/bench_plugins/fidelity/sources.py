"""Sources of real images: a folder, a zip, a data set of torchvision; or their statistics.

Every source has a digest of its content, by which what was computed from it is found again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.api import BenchError, cache_folder, file_sha256, first_line, offline
from bench_plugins.fidelity.catalogue import asset_of
from bench_plugins.fidelity.decoding import Picture, decode
from bench_plugins.fidelity.folder import files_below
from bench_plugins.fidelity.listing import Listing
from bench_plugins.fidelity.moments_file import MomentsFile

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

_LARGEST = 1 << 28  # bytes of one file in a zip


class ImageSource(ABC):
    """Real images, in an order of their own that never changes."""

    @abstractmethod
    def digest(self) -> str:
        """sha256 of names and content."""

    @abstractmethod
    def left_out(self) -> Mapping[str, int]:
        """Number of other files that were left out, by kind."""

    @abstractmethod
    def images(self) -> Iterator[Picture]:
        """The images."""


Source = ImageSource | MomentsFile


def open_source(against: str, root: str | None, download: bool) -> Source:
    """The source that ``against`` names.

    Raises:
        BenchError: there is none, or it has no images.
    """
    if against in DATASETS:
        folder = cache_folder() / "datasets" if root is None else Path(root)
        return _dataset(against, folder.absolute(), download and not offline())
    path = next((asset.locate() for asset in asset_of(against)), Path(against))
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
    """The images of a folder and the folders in it, linked ones too, in the order of their names.

    Raises:
        BenchError: from all methods, where ``files_below`` and ``Listing`` refuse it.
    """

    path: Path

    @cached_property
    def _files(self) -> dict[str, Path]:
        return files_below(self.path)

    @cached_property
    def _listing(self) -> Listing:
        return Listing.of(self._files, self.path)

    def left_out(self) -> Mapping[str, int]:
        return self._listing.left_out

    def digest(self) -> str:
        digest = hashlib.sha256()
        for name in self._listing.images:
            try:
                content = file_sha256(self._files[name])
            except OSError as error:
                raise BenchError(
                    f"{self._files[name]}: cannot be read ({error.strerror})"
                ) from None
            digest.update(f"{name}\0{content}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def images(self) -> Iterator[Picture]:
        for name in self._listing.images:
            file = self._files[name]
            try:
                content = file.read_bytes()
            except OSError as error:
                raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
            yield decode(content, str(file))


@dataclass(frozen=True)
class Zip(ImageSource):
    """The images of a .zip, in the order of their names (EDM's data sets are such files)."""

    path: Path

    def digest(self) -> str:
        try:
            return file_sha256(self.path)
        except OSError as error:
            raise BenchError(f"{self.path}: cannot be read ({error.strerror})") from None

    def left_out(self) -> Mapping[str, int]:
        with self._open() as archive:
            return self._listing(archive).left_out

    def images(self) -> Iterator[Picture]:
        with self._open() as archive:
            for name in self._listing(archive).images:
                if archive.getinfo(name).file_size > _LARGEST:
                    raise BenchError(f"{self.path}: {name} is no image: it is too large")
                yield decode(archive.read(name), f"{self.path}: {name}")

    def _listing(self, archive: zipfile.ZipFile) -> Listing:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        for entry in files:
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise BenchError(
                    f"{self.path}: {entry.filename} is a link; pack the file that it leads to"
                )
        return Listing.of((entry.filename for entry in files), self.path)

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except BenchError:
            raise
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

    def left_out(self) -> Mapping[str, int]:
        return {}

    def images(self) -> Iterator[Picture]:
        for i in range(len(self.dataset)):
            yield Picture(f"{self.name} {i}", self.dataset[i])


@lru_cache(maxsize=2)
def _dataset(name: str, root: Path, download: bool) -> TorchvisionSet:
    from torch_fidelity.registry import DATASETS_REGISTRY

    try:
        if download:
            root.mkdir(parents=True, exist_ok=True)
        return TorchvisionSet(name, DATASETS_REGISTRY[name](str(root), download))
    except (RuntimeError, OSError, EOFError) as error:
        remedy = (
            "check the connection, or put the data set there yourself"
            if download
            else "put torchvision's files there, name another folder with `root`, or allow the "
            "download with `download: true`"
        )
        raise BenchError(f"data set '{name}' in {root}: {first_line(error)}; {remedy}") from None
