"""Shared by all checkpoints: hashes of files, pixels, and networks with their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from bench.api import (
    HELD_OUT,
    BenchError,
    DiscreteData,
    Target,
    UnsupportedError,
    file_sha256,
    load_tensors,
    rows_of,
)
from bench_plugins.checkpoints.catalogue import asset_of

Record = TypeVar("Record")


@dataclass(frozen=True)
class Pixels(DiscreteData):
    """Bytes that a network knows as level k -> k / 127.5 - 1 (score_sde, EDM, diffusers).

    Dequantisation for likelihoods stays (k + u) / 128 - 1, as in score_sde.
    """

    def quantise(self, x: Tensor) -> Tensor:
        """The nearest levels of ``x``, uint8, clamped to the range."""
        top = self.levels - 1
        return ((x + 1) * (top / 2)).round().clamp(0, top).to(torch.uint8)


def pixel_target(data: str, held_out: str | None) -> Target:
    """The target of a network for images of 256 levels.

    ``held_out`` is a .npz, .npy or .safetensors file whose array `samples` has unseen images,
    uint8, (n, c, h, w); without it, MNIST's are those of the package, and of other data
    likelihoods are refused.
    """
    return Target(data, discrete=Pixels(256, partial(_held_out, data, held_out)))


def _held_out(data: str, path: str | None) -> Tensor:
    if path is None and data == "mnist":
        return load_tensors(HELD_OUT["mnist"])["samples"]
    if path is None:
        raise UnsupportedError(
            f"no held-out data of '{data}' are known; name a file of uint8 images (array "
            "'samples', (n, c, h, w)) as the model's parameter held_out"
        )
    tensors = load_tensors(Path(path))
    if "samples" not in tensors or tensors["samples"].dtype != torch.uint8:
        raise BenchError(f"{path}: must hold an array 'samples' of uint8 images, (n, c, h, w)")
    return tensors["samples"]


def file_hash(model: str, path: str) -> str:
    """The sha256 of a checkpoint, read in pieces; a file that has not changed is read once.

    Raises:
        BenchError: it cannot be read, or a published one is missing or damaged.
    """
    for asset in asset_of(path):
        return asset.digest()
    try:
        return file_sha256(Path(path))
    except (OSError, ValueError) as error:  # ValueError: no file name at all, such as "\0"
        reason = error.strerror if isinstance(error, OSError) else error
        raise BenchError(
            f"model '{model}': checkpoint '{path}': {reason}; fetch it and put it there, or name "
            "the file as the parameter path"
        ) from None


def record_of(kind: type[Record], content: str | bytes, place: str) -> Record:
    """The dataclass that a JSON text describes; unknown names and wrong types are refused.

    Raises:
        BenchError: says where the text is wrong.
    """
    try:
        return TypeAdapter(kind).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BenchError(
            f"{place}: {where}: {first['msg']}; see docs/checkpoints.md for what belongs there"
        ) from None


def build_network(
    make: Callable[[], nn.Module], state: Mapping[str, Tensor], path: Path
) -> nn.Module:
    """The network that ``make`` makes, with the weights ``state``; every entry must fit.

    What a file says of its sizes is compared with its tensors before memory is taken for them.

    Raises:
        BenchError: names the first entry that does not fit, with both shapes.
    """
    with torch.device("meta"):
        own = make().state_dict()
    for name, tensor in own.items():
        if name not in state:
            raise _misfit(path, f"it lacks '{name}'")
        if state[name].shape != tensor.shape:
            found, wanted = tuple(state[name].shape), tuple(tensor.shape)
            raise _misfit(path, f"'{name}' has shape {found}, the network wants {wanted}")
    extra = [name for name in state if name not in own]
    if extra:
        raise _misfit(path, f"it holds '{extra[0]}', which the network does not have")
    network = make()
    network.load_state_dict(state)
    return network


def freeze(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The network for evaluation: frozen, where it is wanted, in the layout that is fastest."""
    # Channels last: convolutions on CPUs run an eighth faster, on GPUs with tensor cores more.
    network = network.to(device, dtype).to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


def levels_of(s: Tensor) -> Tensor:
    """``s`` of shape () or (n,) as a float64 tensor (1,) or (n,)."""
    return s.double().reshape(-1)


def scale_rows(y: Tensor, factor: Tensor) -> Tensor:
    """``y`` times a float64 factor for each row or for all, in the dtype of ``y``."""
    return y * rows_of(factor.to(y.dtype), y)


def _misfit(path: Path, cause: str) -> BenchError:
    return BenchError(
        f"{path}: its weights do not fit the network: {cause}; choose the preset or recipe that "
        "it was trained with"
    )
