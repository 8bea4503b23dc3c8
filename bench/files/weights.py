"""Files of weights that describe themselves; nothing in them is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.files.atomic import atomic_write_bytes

HEADER = "bench"
"""Entry of a safetensors header that holds the record, as JSON."""

_COUNTER = "num_batches_tracked"  # of batch norm, which inference never reads


@dataclass(frozen=True)
class WeightsFile:
    """The content of a file of weights.

    Attributes:
        path: the file.
        tensors: by name.
        record: what the file says about itself, a JSON object.
        sha256: of the file.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    record: Mapping[str, Any]
    sha256: str

    def damaged(self, cause: str) -> BenchError:
        """Return the error of a file whose content is not what its reader expects."""
        return _damaged(self.path, cause)

    def fill(self, network: nn.Module) -> nn.Module:
        """Return ``network`` with these weights: in evaluation mode, frozen, channels last.

        Raises:
            BenchError: names or shapes differ.
        """
        try:
            missing, unexpected = network.load_state_dict(self.tensors, strict=False)
        except RuntimeError as error:
            raise self.damaged(f"its tensors do not fit its description ({error})") from error
        missing = [name for name in missing if not name.endswith(_COUNTER)]
        if missing or unexpected:
            raise self.damaged(f"tensors missing {missing}, unexpected {unexpected}")
        # Channels last: convolutions on CPUs run an eighth faster, their derivatives twice as fast.
        network = network.to(memory_format=torch.channels_last)
        return network.eval().requires_grad_(False)


def read_weights(path: Path) -> WeightsFile:
    """Return the content of a file that `write_weights` or `write_network` wrote.

    Raises:
        BenchError: it is missing, damaged or of another kind.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"{path}: cannot read the weights ({error.strerror}); if the file came with the "
            "package, reinstall it, else check the path"
        ) from error
    try:
        tensors = load(content)
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {}).get(HEADER, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, f"it is no readable safetensors file ({error})") from error
    if not isinstance(record, dict):
        raise _damaged(path, f"its header lacks the entry '{HEADER}' that describes the network")
    return WeightsFile(path, tensors, record, hashlib.sha256(content).hexdigest())


def write_weights(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, object]) -> None:
    """Write ``tensors``, and ``record`` in the header as JSON, to a safetensors file, atomically.

    Raises:
        BenchError: it cannot be written.
    """
    content = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(dict(record), sort_keys=True)
    atomic_write_bytes(path, save(content, {HEADER: text}), "make room or name another folder")


def write_network(path: Path, network: nn.Module, record: Mapping[str, object]) -> None:
    """Write the weights of ``network`` as float32, and ``record``, for `WeightsFile.fill`.

    Raises:
        BenchError: it cannot be written.
    """
    state = network.state_dict()
    tensors = {name: t.float() for name, t in state.items() if not name.endswith(_COUNTER)}
    write_weights(path, tensors, record)


def _damaged(path: Path, cause: str) -> BenchError:
    return BenchError(
        f"{path}: damaged or foreign weights: {cause}; fetch the file again, or write it with "
        "`bench train`"
    )
