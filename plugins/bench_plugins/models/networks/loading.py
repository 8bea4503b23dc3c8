"""Reading networks from safetensors files: nothing in such a file is executed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from bench.api import BenchError
from bench_plugins.models.networks.classifier import Classifier, ClassifierConfig
from bench_plugins.models.networks.metadata import Kind, Metadata, NetworkConfig
from bench_plugins.models.networks.mlp import MLP, MLPConfig
from bench_plugins.models.networks.precond import EdmDenoiser, Preconditioning
from bench_plugins.models.networks.unet import UNet


def load_network(path: Path) -> tuple[nn.Module, Metadata]:
    """The network of a file and its record, with the file's SHA-256 filled in.

    Score models come as `EdmDenoiser`, D(y; s); classifiers as `Classifier`. They are float32,
    on the CPU, in evaluation mode and frozen. Raises BenchError where the file is missing,
    truncated, or does not describe a network of ours.
    """
    content = _content(path)
    tensors, record = _parse(path, content)
    metadata = _metadata(path, record, hashlib.sha256(content).hexdigest())
    network = build_network(metadata.network, metadata.preconditioning)
    try:
        # Buffers that files leave out (batch norm's counters) keep their initial values.
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise _damaged(path, f"its tensors do not fit its description ({error})") from error
    lost = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lost or unexpected:
        raise _damaged(path, f"tensors missing {lost}, unexpected {unexpected}")
    # Channels last: convolutions on CPUs run an eighth faster, their derivatives twice as fast.
    network = network.to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False), metadata


def build_network(config: NetworkConfig, preconditioning: Preconditioning | None) -> nn.Module:
    """A freshly initialised network of these sizes, preconditioned if it is a score model."""
    if isinstance(config, ClassifierConfig):
        return Classifier(config)
    raw = MLP(config) if isinstance(config, MLPConfig) else UNet(config)
    return EdmDenoiser(raw, preconditioning or Preconditioning())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"{path}: cannot read the weights ({error.strerror}); if the file came with the "
            "package, reinstall it, else check the path"
        ) from error


def _parse(path: Path, content: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        tensors = load_tensors(content)
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("bench", "null")
        record = json.loads(text)
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, f"it is no readable safetensors file ({error})") from error
    if not isinstance(record, dict):
        raise _damaged(path, "its header lacks the entry 'bench' that describes the network")
    return tensors, record


def _metadata(path: Path, record: dict[str, Any], digest: str) -> Metadata:
    try:
        sizes = Kind(record.pop("kind")).config_class
        network = sizes(**_tuples(record.pop("network")))
        given = record.pop("preconditioning")
        preconditioning = None if given is None else Preconditioning(**given)
        known = {field.name for field in fields(Metadata)}
        rest = {key: value for key, value in _tuples(record).items() if key in known}
        return Metadata(network, preconditioning, sha256=digest, **rest)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"its description is wrong ({error!r})") from error


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that frozen dataclasses hold."""
    return {key: tuple(item) if isinstance(item, list) else item for key, item in record.items()}


def _damaged(path: Path, cause: str) -> BenchError:
    return BenchError(
        f"{path}: damaged or foreign weights: {cause}; fetch the file again, or write it with "
        "`bench train`"
    )
