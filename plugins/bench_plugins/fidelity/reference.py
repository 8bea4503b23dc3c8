"""Statistics of real images, computed once and found again by content."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.api import (
    BenchError,
    Measurement,
    Moments,
    atomic_write,
    cache_folder,
    code_identity,
    file_lock,
    frechet_distance,
    root_factor,
)
from bench_plugins.fidelity.decoding import CONVERSIONS, describe_conversions
from bench_plugins.fidelity.extractors import Extractor, chunks
from bench_plugins.fidelity.moments_file import MomentsFile
from bench_plugins.fidelity.sources import ImageSource, Source
from bench_plugins.fidelity.statistics import Collected, RunningMoments, pooled_layer

_PREPROCESSING = "2: uint8 RGB, 16 bits by round(v / 257), resized by the extractor"
"""Names the rules by which a file becomes bytes, and is part of every hash of a reference: give it
the next number where ``decoding``, ``folder`` or ``listing`` reads other bytes than before."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The features of real images.

    Attributes:
        mean, covariance: (d,) and (d, d), float64.
        digest: hash of images and extractor.
        rank: the largest rank that the covariance can have.
        size: (H, W) of the images, where it is known.
        features: reads the features (n, d), float32; None where only the moments are known.
        count: number of images, where it is known.
        note: which conversions how many of them went through, and what was left out.
    """

    mean: Tensor
    covariance: Tensor
    digest: str
    rank: int
    size: tuple[int, ...] | None
    features: Callable[[], Tensor] | None
    count: int | None = None
    note: str = ""

    def credit(self, number: Measurement) -> Measurement:
        """The same number, with what it is measured against."""
        return replace(
            number,
            reference=self.digest,
            reference_n=self.count,
            reference_note=self.note,
        )

    @cached_property
    def factor(self) -> Tensor:
        """A with A A^T = covariance, made once for all cells of a process."""
        return root_factor(self.covariance)

    def distance(self, samples: Moments) -> float:
        """The Frechet distance to the moments of samples."""
        return frechet_distance(
            self.mean,
            self.covariance,
            samples.mean,
            samples.covariance,
            factor_1=self.factor,
            rank=min(self.rank, samples.rank),
        )


def reference_digest(source: Source, extractor: str) -> str:
    """Hash of the content of ``source``, the ``extractor`` and what is done in between."""
    content = f"{_PREPROCESSING}\n{source.digest()}\n{extractor}"
    return hashlib.sha256(content.encode()).hexdigest()


def load_reference(source: Source, identity: str, extractor: Extractor) -> Reference:
    """The statistics of ``source`` in the features of ``extractor`` (of hash ``identity``).

    Raises:
        BenchError: images or statistics cannot be read.
    """
    digest = reference_digest(source, identity)
    if isinstance(source, MomentsFile):
        return _load_published(source, digest, extractor.dimension)
    path = cache_folder() / "references" / f"{_cache_name(digest)}.safetensors"
    if not path.exists():
        with file_lock(path):
            if not path.exists():
                _compute(source, extractor, path)
    return _load_cached(path, digest, tuple(source.left_out().items()))


@lru_cache(maxsize=64)
def _cache_name(digest: str) -> str:
    """Of the statistics ``digest``, as the code computes them that reads images and makes features.

    No part of the digest itself: that says what a number was compared with, by which versions of
    this program are compared.
    """
    code = code_identity("bench_plugins.fidelity.reference", packages=False)
    return hashlib.sha256(f"{digest}\n{code}".encode()).hexdigest()


@lru_cache(maxsize=4)
def _load_published(source: MomentsFile, digest: str, dimension: int) -> Reference:
    found = source.read(dimension)
    if found.moments is not None:
        note = "statistics of a number of images that is not told"
        return Reference(*found.moments, digest, dimension, None, None, None, note)
    features = found.features
    assert features is not None
    moments = _moments(features)
    read = partial(_read_features, features)
    n = moments.count
    return Reference(moments.mean, moments.covariance, digest, moments.rank, None, read, n)


def _read_features(features: Tensor) -> Tensor:
    return features


def _moments(features: Tensor) -> Moments:
    first, *blocks = features.split(4096)
    moments = Moments.of(first)
    for block in blocks:
        moments = moments.merge(Moments.of(block))
    return moments


def _compute(source: ImageSource, extractor: Extractor, path: Path) -> None:
    moments, rows, seen = RunningMoments(), Collected(pooled_layer), _Seen()
    for images in chunks(seen.through(source)):
        features = extractor(images)
        moments.add(features)
        rows.add(features)
    found = moments.result()
    if found.count < 2:
        raise BenchError("one image has no covariance; name at least two")
    (size,) = seen.sizes
    tensors = {
        "mean": found.mean,
        "covariance": found.covariance,
        "features": rows.result(),
        "size": torch.tensor(size[1:]),
        "conversions": torch.tensor([seen.conversions[kind] for kind in CONVERSIONS]),
    }
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    record = {name: _content(tensor) for name, tensor in tensors.items()} | {"of": path.stem}
    with atomic_write(path) as temporary:
        try:
            save_file(tensors, temporary, record)
        except SafetensorError as error:  # such as a full disk
            raise OSError(str(error)) from None


def _content(tensor: Tensor) -> str:
    """sha256 of a tensor's numbers."""
    return hashlib.sha256(tensor.numpy().data).hexdigest()


@dataclass(frozen=True)
class _Seen:
    """Shape and conversions of the real images that went by."""

    sizes: set[torch.Size] = field(default_factory=set)
    conversions: Counter[str] = field(default_factory=Counter)

    def through(self, source: ImageSource) -> Iterator[Tensor]:
        """The pixels of ``source``.

        Raises:
            BenchError: images have different sizes.
        """
        for number, image in enumerate(source.images()):
            self.sizes.add(image.pixels.shape)
            self.conversions.update(image.kinds)
            if len(self.sizes) > 1:
                raise BenchError(
                    f"real images of different sizes: number {number} (in the order of names, "
                    f"{image.name}) is {image.pixels.shape[1]}x{image.pixels.shape[2]}, those "
                    "before are not; resize them first"
                )
            yield image.pixels


# One reference in the features of each extractor of a cell, and its factor (100 MB at d = 2048).
@lru_cache(maxsize=4)
def _load_cached(path: Path, digest: str, left_out: tuple[tuple[str, int], ...]) -> Reference:
    names = ("mean", "covariance", "size", "conversions")
    mean, covariance, size, counts = (_tensor(path, name) for name in names)
    features = partial(_features, path)
    count = _rows(path)
    rank = min(count - 1, len(mean))
    note = describe_conversions(
        dict(zip(CONVERSIONS, counts.tolist(), strict=True)), dict(left_out)
    )
    return Reference(mean, covariance, digest, rank, tuple(size.tolist()), features, count, note)


@lru_cache(maxsize=2)
def _features(path: Path) -> Tensor:
    return _tensor(path, "features")


def _tensor(path: Path, name: str) -> Tensor:
    """The tensor ``name`` of a file that was computed for its name, and did not change since."""
    try:
        with safe_open(path, framework="pt") as file:
            record = file.metadata() or {}
            tensor: Tensor = file.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise _damage(path, error) from None
    if record.get("of") != path.stem:
        raise _damage(path, "it was computed of other images, or with other weights")
    if record.get(name) != _content(tensor):
        raise _damage(path, f"'{name}' is not what was written")
    return tensor


def _rows(path: Path) -> int:
    try:
        with safe_open(path, framework="pt") as file:
            return int(file.get_slice("features").get_shape()[0])
    except (OSError, SafetensorError) as error:
        raise _damage(path, error) from None


def _damage(path: Path, error: object) -> BenchError:
    return BenchError(f"{path}: is damaged ({error}); delete it, and it will be computed again")
