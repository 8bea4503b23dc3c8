"""Bases of the metrics of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

from bench.api import (
    Asset,
    Batch,
    FilePath,
    Measurement,
    SampleMetric,
    Trial,
    UnsupportedError,
    require,
)
from bench_plugins.fidelity.catalogue import asset_of
from bench_plugins.fidelity.extractors import Extractor, Features, load_extractor
from bench_plugins.fidelity.images import FeatureStream, bytes_of
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION, Kind, suffix
from bench_plugins.fidelity.reference import Reference, load_reference, reference_digest
from bench_plugins.fidelity.sources import Source, open_source
from bench_plugins.fidelity.weights import WeightsFile, find_weights


class Keeper(Protocol):
    """Takes in features, batch by batch."""

    def add(self, features: Features) -> None: ...


@dataclass(frozen=True)
class FeatureAccumulator:
    """Hands the features of the samples to ``keeper``; ``finish`` makes numbers of them."""

    stream: FeatureStream
    keeper: Keeper
    finish: Callable[[], Sequence[Measurement]]

    def add(self, batch: Batch) -> None:
        self._keep(self.stream.add(batch))

    def result(self) -> Sequence[Measurement]:
        self._keep(self.stream.rest())
        return self.finish()

    def _keep(self, features: Features | None) -> None:
        if features is not None:
            self.keeper.add(features)


@dataclass(frozen=True)
class FeatureMetric(SampleMetric):
    """A metric of the features that an extractor of torch-fidelity finds in the samples.

    Attributes:
        extractor: its name in torch-fidelity's registry.
        weights: a file of weights of your own for the extractor (a PyTorch state dict); None: the
            published one, from the cache folder.
    """

    unit: ClassVar[str] = "1"
    imports: ClassVar[tuple[str, ...]] = ("torch_fidelity.registry", "torch_fidelity.utils")

    extractor: str = INCEPTION
    weights: FilePath | None = None

    def __post_init__(self) -> None:
        known = ", ".join(EXTRACTORS)
        require(self.extractor in EXTRACTORS, f"extractor must be one of {known}")
        require(self.weights is None or _is_path(self.weights), "weights must be a path or null")

    def assets(self) -> Sequence[Asset]:
        return [self.kind.published.asset] if self.weights is None else []

    def contents(self) -> Mapping[str, str]:
        """The published weights are the same under any name."""
        if self.weights is None:
            return {}
        sha256, published = self.weights_file().sha256, self.kind.published.asset
        return {"weights": "" if sha256 == published.pin else sha256}

    def fingerprint(self) -> str:
        return self.identity()

    def number_name(self, name: str) -> str:
        """Name of a number in these features: ``name`` itself in those of Inception-v3."""
        return name + suffix(self.extractor)

    @property
    def kind(self) -> Kind:
        """The extractor."""
        return EXTRACTORS[self.extractor]

    def weights_file(self) -> WeightsFile:
        """The extractor's weights, found and verified."""
        return find_weights(self.kind.published, self.weights)

    def identity(self) -> str:
        """sha256 of what turns images into features.

        Raises:
            BenchError: the weights, or a package that the extractor needs, are missing.
        """
        self.kind.check()
        content = f"{self.kind.published.extractor} {self.weights_file().sha256}"
        return hashlib.sha256(content.encode()).hexdigest()

    def stream(self, trial: Trial, at_least: int) -> FeatureStream:
        """The stream of the features of ``trial``'s samples.

        Raises:
            UnsupportedError: they are no images, or fewer than ``at_least``.
        """
        discrete = bytes_of(trial, self.name)
        if trial.draw.samples < at_least:
            raise UnsupportedError(
                f"{self.name} needs at least {at_least} samples, not {trial.draw.samples}"
            )
        return FeatureStream(self.load(trial), discrete)

    def load(self, trial: Trial) -> Extractor:
        """The extractor on the device of ``trial``."""
        return load_extractor(self.kind, self.weights_file(), trial.draw.device)


@dataclass(frozen=True)
class ReferenceMetric(FeatureMetric):
    """A metric that holds the samples' features against those of real images.

    Attributes:
        against: the real images: a folder or a .zip of images, one of torchvision's data sets
            (cifar10-train, cifar10-val, cifar100-train, ...), or an .npz of statistics (of EDM,
            score_sde, clean-fid or ADM); paths are relative to where you are. Or
            `published:NAME`, such as published:edm-fid-refs-cifar10-32x32 (`bench models list`).
        root: where the data set of torchvision lies; None: ``datasets`` in the cache folder.
        download: whether the data set may be downloaded.
    """

    against: FilePath = "reference.zip"
    root: FilePath | None = None
    download: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require(_is_path(self.against), "against must be a path or a data set")
        require(self.root is None or _is_path(self.root), "root must be a path or null")

    def source(self) -> Source:
        """Source of the real images, or of their statistics."""
        return open_source(self.against, self.root, self.download)

    def assets(self) -> Sequence[Asset]:
        return [*super().assets(), *asset_of(self.against)]

    def contents(self) -> Mapping[str, str]:
        """The place of a data set decides no number: its images do."""
        return {**super().contents(), "against": self.source().digest(), "root": ""}

    def fingerprint(self) -> str:
        return reference_digest(self.source(), self.identity())

    def real(self, trial: Trial, extractor: Extractor) -> Reference:
        """The statistics of the real images, computed or from the cache.

        Raises:
            BenchError: they cannot be read.
            UnsupportedError: the images have another size than the samples.
        """
        reference = load_reference(self.source(), self.identity(), extractor)
        size = trial.model.shape[1:]
        if reference.size not in (None, size):
            raise UnsupportedError(
                f"{self.name}: the images of '{self.against}' are {_by(reference.size)}, those of "
                f"the model {_by(size)}; resize the former first"
            )
        return reference

    def real_features(self, reference: Reference) -> Tensor:
        """Features (n, d) of the real images.

        Raises:
            UnsupportedError: only their moments are known.
        """
        if reference.features is None:
            raise UnsupportedError(
                f"{self.name} compares features image by image, and '{self.against}' holds the "
                "mean and covariance alone; name the images themselves (folder, zip, data set)"
            )
        return reference.features()


def _is_path(text: str) -> bool:
    return bool(text) and "\0" not in text


def _by(size: tuple[int, ...] | None) -> str:
    return "x".join(map(str, size or ()))
