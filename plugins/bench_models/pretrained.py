"""The pretrained networks that the package ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, cast

import torch
from torch import Tensor

from bench.api import Denoiser, DiscreteData, Model, ScoreModel, Target
from bench_models.networks.loading import load_network
from bench_models.tensors import load_file

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class _Shipped(Model):
    """A network of the wheel; its s range is that of its training."""

    weights_file: ClassVar[str]
    test_file: ClassVar[str]
    shape: ClassVar[tuple[int, ...]]

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        network, metadata = load_network(DATA / self.weights_file)
        s_min, s_max = metadata.s_range
        discrete = DiscreteData(metadata.levels, partial(_held_out, self.test_file))
        return ScoreModel(
            denoiser=cast(Denoiser, network.to(device, dtype)),
            shape=self.shape,
            s_min=s_min,
            s_max=s_max,
            weights=metadata.sha256,
            target=Target(metadata.data, discrete=discrete),
        )


@dataclass(frozen=True)
class MnistUnet(_Shipped):
    """A U-Net for 28x28 MNIST digits, trained by `bench train` (see WEIGHTS.md)."""

    name: ClassVar[str] = "mnist_unet"
    reference: ClassVar[str] = "this package's WEIGHTS.md; Karras et al. 2022, arXiv:2206.00364"
    weights_file: ClassVar[str] = "mnist_unet.safetensors"
    test_file: ClassVar[str] = "mnist_test.safetensors"
    shape: ClassVar[tuple[int, ...]] = (1, 28, 28)


@dataclass(frozen=True)
class DigitsMlp(_Shipped):
    """A small MLP for scikit-learn's 8x8 digits, trained by `bench train` (see WEIGHTS.md)."""

    name: ClassVar[str] = "digits_mlp"
    reference: ClassVar[str] = "this package's WEIGHTS.md; Karras et al. 2022, arXiv:2206.00364"
    weights_file: ClassVar[str] = "digits_mlp.safetensors"
    test_file: ClassVar[str] = "digits_test.safetensors"
    shape: ClassVar[tuple[int, ...]] = (1, 8, 8)


def _held_out(file: str) -> Tensor:
    return load_file(DATA / file)["samples"]
