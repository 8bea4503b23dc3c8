"""The weights of feature extractors: found, verified, and read without running anything."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.api import BenchError, cache_folder, file_sha256
from bench_fidelity.torchscript import is_torchscript, read_torchscript


@dataclass(frozen=True)
class PublishedWeights:
    """A file that somebody published.

    Attributes:
        extractor: the extractor of torch-fidelity's registry that it belongs to.
        file: its name, in the folder ``extractors`` of the cache.
        url: where it is to be had.
        sha256: its hash.
    """

    extractor: str
    file: str
    url: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where it is looked for."""
        return cache_folder() / "extractors" / self.file


INCEPTION_V3 = PublishedWeights(
    "inception-v3-compat",
    "weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)
"""TensorFlow's Inception-v3 of 2015-12-05, which all published FIDs go back to (95,628,359 B)."""


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
    path = published.path if own is None else Path(own)
    try:
        digest = file_sha256(path)
    except OSError as error:
        raise BenchError(_missing(published, path, own is not None, error)) from None
    if own is None and digest != published.sha256:
        raise BenchError(
            f"{path}: sha256 is {digest}, not {published.sha256}: the file is damaged or another "
            f"one; delete it and fetch {published.url} again"
        )
    return WeightsFile(path, digest)


def _missing(published: PublishedWeights, path: Path, own: bool, error: OSError) -> str:
    if own:
        return f"weights '{path}': {error.strerror}; name a file of weights, or leave it out"
    return (
        f"the weights of '{published.extractor}' are missing ({path}: {error.strerror}); fetch "
        f"{published.url} and put it there, or name another folder in BENCH_CACHE"
    )


def read_state(file: WeightsFile) -> dict[str, Any]:
    """The state dict in ``file``, read by torch's unpickler for tensors alone.

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
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BenchError(
            f"{file.path}: is no plain PyTorch state dict and was not loaded ({reason}); fetch "
            "the published file"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise BenchError(f"{file.path}: holds no state dict (names with tensors)")
    return state
