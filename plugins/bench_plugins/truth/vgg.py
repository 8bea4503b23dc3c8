"""VGG-16 and LPIPS's weights of its layers, read from files and applied without any other code."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import BenchError, first_line

SLICES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Places of the convolutions in torchvision's `features`; pooling stands between the slices."""

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_CHUNK = 32  # fixed, so that distances do not depend on the batch of the run


@dataclass(frozen=True, eq=False)
class PerceptualNetwork:
    """LPIPS on VGG-16.

    Attributes:
        convolutions: weights and biases of each slice.
        layers: LPIPS's weights of the channels of each slice's output, (channels,).
    """

    convolutions: tuple[tuple[tuple[Tensor, Tensor], ...], ...]
    layers: tuple[Tensor, ...]

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """LPIPS of images (n, 1 or 3, height, width) in [-1, 1], float32, shape (n,)."""
        pairs = zip(x.split(_CHUNK), y.split(_CHUNK), strict=True)
        return torch.cat([self._distance(one, other) for one, other in pairs])

    def _distance(self, x: Tensor, y: Tensor) -> Tensor:
        total = x.new_zeros(len(x))
        one, other = _centre(x), _centre(y)
        for place, (slice_, weights) in enumerate(zip(self.convolutions, self.layers, strict=True)):
            if place:
                one, other = functional.max_pool2d(one, 2), functional.max_pool2d(other, 2)
            for weight, bias in slice_:
                one = functional.conv2d(one, weight, bias, padding=1).relu()
                other = functional.conv2d(other, weight, bias, padding=1).relu()
            gap = (_unit(one) - _unit(other)).square()
            total = total + torch.einsum("nchw,c->nhw", gap, weights).mean((1, 2))
        return total


def _centre(x: Tensor) -> Tensor:
    shift, scale = (x.new_tensor(v)[:, None, None] for v in (_SHIFT, _SCALE))
    return (x - shift) / scale  # a grey image becomes three channels here


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)


@lru_cache(maxsize=2)
def load_network(vgg: Path, vgg_sha256: str, layers: Path, layers_sha256: str) -> PerceptualNetwork:
    """The network of two files of weights, whose content must have these hashes.

    Raises:
        BenchError: a file is damaged, changed, or holds another network.
    """
    features, heads = _read(vgg, vgg_sha256), _read(layers, layers_sha256)

    def convolution(i: int) -> tuple[Tensor, Tensor]:
        name = f"features.{i}"
        return _get(vgg, features, f"{name}.weight", 4), _get(vgg, features, f"{name}.bias", 1)

    convolutions = tuple(tuple(map(convolution, places)) for places in SLICES)
    weights = tuple(
        _get(layers, heads, f"lin{i}.model.1.weight", 4).flatten() for i in range(len(SLICES))
    )
    _check_widths(vgg, layers, convolutions, weights)
    return PerceptualNetwork(convolutions, weights)


def _check_widths(
    vgg: Path,
    layers: Path,
    convolutions: tuple[tuple[tuple[Tensor, Tensor], ...], ...],
    weights: tuple[Tensor, ...],
) -> None:
    width = 3
    for slice_, weight in zip(convolutions, weights, strict=True):
        for kernel, bias in slice_:
            if kernel.shape[1:] != (width, 3, 3) or bias.shape != kernel.shape[:1]:
                raise BenchError(f"{vgg}: holds no VGG-16; fetch the published file")
            width = len(kernel)
        if len(weight) != width:
            raise BenchError(
                f"{layers}: has weights of {len(weight)} channels where the network has {width}; "
                "fetch the published files"
            )


def _get(path: Path, state: Mapping[str, Tensor], name: str, axes: int) -> Tensor:
    found = state.get(name)
    if found is None or found.ndim != axes:
        raise BenchError(f"{path}: holds no '{name}'; fetch the published file")
    return found.float()


def _read(path: Path, sha256: str) -> dict[str, Tensor]:
    """A state dict, read by torch's unpickler for tensors."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BenchError(f"{path}: changed while it was read; try again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch did not write
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader fails on garbage in every way there is
        raise BenchError(
            f"{path}: is no plain PyTorch state dict and was not loaded ({first_line(error)}); "
            "fetch the published file"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise BenchError(f"{path}: holds no state dict (names with tensors)")
    return dict(state)
