"""Networks trained by `bench train`: those of the wheel, and anybody's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    HELD_OUT,
    BenchError,
    DiscreteData,
    FilePath,
    Model,
    ParameterError,
    ScoreModel,
    Target,
    TrainingRecord,
    UnsupportedError,
    load_tensors,
    make_plugin,
    paper,
    require,
)
from bench_plugins.models.classes import Label, check_label, of_classes
from bench_plugins.models.networks.files import NetworkConfig, load_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.noisy_classifier import load_noisy_classifier

DATA = Path(__file__).parent / "data"


class _Shipped(Model):
    """A network of the wheel, in the file that bears its name."""

    reference: ClassVar[str] = "this package's WEIGHTS.md; Karras et al. 2022, arXiv:2206.00364"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        return load_score_model(DATA / f"{self.name}.safetensors", device, dtype)


@dataclass(frozen=True)
class MnistUnet(_Shipped):
    """A U-Net for 28x28 MNIST digits, trained by `bench train` (see WEIGHTS.md)."""

    name: ClassVar[str] = "mnist_unet"

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        loaded = load_score_model(DATA / "mnist_unet.safetensors", device, dtype)
        return _with_classifier(loaded, device, dtype)


@dataclass(frozen=True)
class MnistUnetClasses(_Shipped):
    """`mnist_unet`, fine-tuned to know the ten digits: D(y; s, c) and D(y; s) (see WEIGHTS.md).

    Attributes:
        label: the digit of all samples, -1 for none, `balanced` for equal numbers of each in an
            order drawn from the seed; ``null``: each sample's own is drawn.
    """

    name: ClassVar[str] = "mnist_unet_classes"

    label: Label = None

    def __post_init__(self) -> None:
        check_label(self.label)

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = DATA / "mnist_unet_classes.safetensors"
        loaded = load_score_model(path, device, dtype, self.label)
        return _with_classifier(loaded, device, dtype)


@dataclass(frozen=True)
class Cifar10JpegUnet(_Shipped):
    """A class-conditional U-Net for 32x32 colour images, CIFAR-10's after JPEG (see WEIGHTS.md).

    Attributes:
        label: the class of all samples, 0 (airplane) to 9 (truck), -1 for none, `balanced` for
            equal numbers of each in an order drawn from the seed; ``null``: each sample's own is
            drawn.
    """

    name: ClassVar[str] = "cifar10_jpeg_unet"

    label: Label = None

    def __post_init__(self) -> None:
        check_label(self.label)

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        path = DATA / "cifar10_jpeg_unet.safetensors"
        loaded = load_score_model(path, device, dtype, self.label)
        return _with_classifier(loaded, device, dtype)


@dataclass(frozen=True)
class DigitsMlp(_Shipped):
    """A small MLP for scikit-learn's 8x8 digits, trained by `bench train` (see WEIGHTS.md)."""

    name: ClassVar[str] = "digits_mlp"


@dataclass(frozen=True)
class DigitsMlpDeep(_Shipped):
    """A second network for 8x8 digits: narrower, deeper, trained apart (see WEIGHTS.md)."""

    name: ClassVar[str] = "digits_mlp_deep"


@dataclass(frozen=True)
class MixtureMlp(_Shipped):
    """A small MLP trained on exact samples of `gaussian_mixture` (see WEIGHTS.md).

    Its target is that mixture, so that the error of a network is told from that of a sampler.
    """

    name: ClassVar[str] = "mixture_mlp"


@dataclass(frozen=True)
class RandomMixtureMlp(_Shipped):
    """A small MLP trained on exact samples of `random_mixture`, 16-dimensional (see WEIGHTS.md).

    Its target is that mixture, so that the error of a network is told from that of a sampler.
    """

    name: ClassVar[str] = "random_mixture_mlp"


@dataclass(frozen=True)
class Trained(Model):
    """A network of your own, trained by `bench train`.

    Attributes:
        weights: the weights.safetensors that `bench train` wrote, relative to where you are.
        label: the class of all samples of a network with classes, from 0, -1 for none, `balanced`
            for equal numbers of each in an order drawn from the seed; ``null``: each sample's own
            is drawn.
    """

    name: ClassVar[str] = "trained"
    reference: ClassVar[str] = "your own; Song et al. 2021, arXiv:2011.13456"
    bibtex: ClassVar[str] = paper("song2021score")

    weights: FilePath = "weights.safetensors"
    label: Label = None

    def __post_init__(self) -> None:
        check_label(self.label)
        require(bool(self.weights) and "\0" not in self.weights, "weights must be a path")

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        return load_score_model(Path(self.weights), device, dtype, self.label)


def load_score_model(
    path: Path, device: torch.device, dtype: torch.dtype, label: Label = None
) -> ScoreModel:
    """Return the score model of a file of weights; its s range is that of its training.

    Raises:
        BenchError: the file is missing or damaged, or holds a classifier, or a network without
            this class.
    """
    network, metadata = load_network(path)
    training = metadata.training
    s_min, s_max = training.s_range
    return ScoreModel(
        denoiser=of_classes(network.to(device, dtype), metadata.network.classes, label, str(path)),
        shape=_sample_shape(metadata.network),
        s_min=s_min,
        s_max=s_max,
        weights=metadata.sha256,
        target=_target(training, path),
    )


def _with_classifier(model: ScoreModel, device: torch.device, dtype: torch.dtype) -> ScoreModel:
    """``model`` with the classifier of noised samples that ships for its data."""
    classifier = load_noisy_classifier(model.target.data, device, dtype)
    return replace(model, classifier=classifier.log_probs)


def _sample_shape(network: NetworkConfig) -> tuple[int, ...]:
    return network.sample if isinstance(network, MLPConfig) else network.image


def _target(training: TrainingRecord, path: Path) -> Target:
    if training.levels:
        discrete = DiscreteData(training.levels, partial(_held_out, training.data))
        return Target(training.data, discrete=discrete)
    try:
        source = training.recipe["source"]
        exact = make_plugin(Model, source["name"], source["params"])
    except (KeyError, TypeError, ParameterError) as error:
        raise BenchError(
            f"{path}: damaged: it names no model that its data were drawn from ({error!r})"
        ) from error
    return exact.load(torch.device("cpu"), torch.float64).target


def _held_out(data: str) -> Tensor:
    if data not in HELD_OUT:
        raise UnsupportedError(f"no held-out data of '{data}' are shipped with the package")
    return load_tensors(HELD_OUT[data])["samples"]
