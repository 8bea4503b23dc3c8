"""Networks of this family as safetensors files that describe themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from bench.api import BenchError, TrainingRecord, WeightsFile, read_weights, write_network
from bench_plugins.models.networks.mlp import MLP, MLPConfig
from bench_plugins.models.networks.precond import EdmDenoiser, Preconditioning
from bench_plugins.models.networks.unet import UNet, UNetConfig

NetworkConfig = UNetConfig | MLPConfig

_CONFIGS: Mapping[str, type[UNetConfig] | type[MLPConfig]] = {"unet": UNetConfig, "mlp": MLPConfig}


@dataclass(frozen=True)
class Metadata:
    """The description of a network in its file of weights.

    Attributes:
        network: sizes of the architecture.
        preconditioning: of the denoiser.
        training: how it came about.
        sha256: of the file that it was read from, "" before.
    """

    network: NetworkConfig
    preconditioning: Preconditioning
    training: TrainingRecord
    sha256: str = ""


def build_network(config: NetworkConfig, preconditioning: Preconditioning) -> EdmDenoiser:
    """Return a freshly initialised denoiser of these sizes."""
    raw = MLP(config) if isinstance(config, MLPConfig) else UNet(config)
    return EdmDenoiser(raw, preconditioning)


def save_network(path: Path, network: nn.Module, metadata: Metadata) -> None:
    """Write the weights of ``network`` as float32, and ``metadata``, to ``path``, atomically."""
    kind = next(k for k, sizes in _CONFIGS.items() if isinstance(metadata.network, sizes))
    record = asdict(metadata.training) | {
        "kind": kind,
        "network": asdict(metadata.network),
        "preconditioning": asdict(metadata.preconditioning),
    }
    write_network(path, network, record)


def load_network(path: Path) -> tuple[nn.Module, Metadata]:
    """Return the denoiser of a file and its description.

    The network is float32, on the CPU, in evaluation mode and frozen.

    Raises:
        BenchError: the file is missing, truncated, or describes no network of this family.
    """
    file = read_weights(path)
    metadata = _metadata(file)
    return file.fill(build_network(metadata.network, metadata.preconditioning)), metadata


def _metadata(file: WeightsFile) -> Metadata:
    record = file.record
    if record.get("kind") == "classifier":
        raise BenchError(f"{file.path}: holds a classifier, not a score model")
    try:
        network = _CONFIGS[record["kind"]](**_tuples(record["network"]))
        preconditioning = Preconditioning(**record["preconditioning"])
        return Metadata(network, preconditioning, TrainingRecord.of(record), file.sha256)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise file.damaged(f"its description is wrong ({error!r})") from error


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that frozen dataclasses hold."""
    return {key: tuple(item) if isinstance(item, list) else item for key, item in record.items()}
