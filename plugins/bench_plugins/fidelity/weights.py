"""The weights of feature extractors: found, verified, and read without running anything."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.api import Asset, BenchError, file_sha256, first_line
from bench_plugins.fidelity.catalogue import INCEPTION_WEIGHTS
from bench_plugins.fidelity.torchscript import is_torchscript, read_torchscript


@dataclass(frozen=True)
class PublishedWeights:
    """The weights of an extractor that somebody published.

    Attributes:
        extractor: the extractor of torch-fidelity's registry that they belong to.
        asset: their file.
    """

    extractor: str
    asset: Asset


INCEPTION_V3 = PublishedWeights("inception-v3-compat", INCEPTION_WEIGHTS)
"""TensorFlow's Inception-v3 of 2015-12-05, which all published FIDs go back to."""


@dataclass(frozen=True)
class WeightsFile:
    """Weights on this machine, and the sha256 of what is in the file."""

    path: Path
    sha256: str


def find_weights(published: PublishedWeights, own: str | None) -> WeightsFile:
    """The published file in the cache, or the user's ``own`` file, which may be any.

    Raises:
        BenchError: it is missing, or the published one is damaged.
    """
    if own is None:
        return WeightsFile(published.asset.path, published.asset.digest())
    try:
        return WeightsFile(Path(own), file_sha256(Path(own)))
    except (OSError, ValueError) as error:  # ValueError: no file name at all, such as "\0"
        reason = error.strerror if isinstance(error, OSError) else error
        raise BenchError(
            f"weights '{own}': {reason}; name a file of weights, or leave it out"
        ) from None


def read_state(file: WeightsFile) -> dict[str, Any]:
    """The state dict in ``file``, read by torch's unpickler for tensors.

    Of a TorchScript archive (CLIP's), the tensors of its module.

    Raises:
        BenchError: the file is damaged, or holds anything but tensors.
    """
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise BenchError(f"{file.path}: cannot be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BenchError(f"{file.path}: changed while it was read; try again")
    if is_torchscript(content):
        return dict(read_torchscript(file.path, content))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that torch did not write
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader fails on garbage in every way there is
        raise BenchError(
            f"{file.path}: is no plain PyTorch state dict and was not loaded "
            f"({first_line(error)}); fetch the published file"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise BenchError(f"{file.path}: holds no state dict (names with tensors)")
    return state
