"""UNet2DModels loaded by diffusers, and tried before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.api import BenchError, first_line, inert
from bench_plugins.checkpoints.unet2d.folder import Folder
from bench_plugins.checkpoints.unet2d.network import Network, damaged_network


def load_network(folder: Folder, meaning: Network) -> nn.Module:
    """The network of a folder, called as network(x, time, labels).

    Raises:
        BenchError: diffusers is missing or cannot load it, or its weights do not fit.
    """
    folder.weights()
    try:
        from diffusers import UNet2DModel
    except ImportError as error:
        raise BenchError(
            f"model 'diffusers_unet': diffusers cannot be imported ({error}); "
            "pip install scorebench[diffusers]"
        ) from None
    place = folder.config.parent
    try:
        loaded: tuple[nn.Module, dict[str, Any]] = UNet2DModel.from_pretrained(
            place,
            variant=folder.variant or None,
            torch_dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
        )
    except Exception as error:  # diffusers raises whatever its libraries do
        raise inert.damaged_error(
            place, f"diffusers cannot load it ({first_line(error)[:200]})"
        ) from None
    network, info = loaded
    # diffusers warns only, and leaves what it lacks at random values.
    wrong = [name for kind in ("missing_keys", "unexpected_keys") for name in info.get(kind, [])]
    if wrong:
        raise inert.damaged_error(
            place, f"its weights do not fit its config.json, '{wrong[0]}' first"
        )
    _try(network, meaning, folder.config)
    return _Sample(network)


def _try(network: nn.Module, meaning: Network, config: Path) -> None:
    """Run the network once on tensors without memory, which shows what no key does."""
    try:
        with torch.device("meta"):
            bare: Any = type(network).from_config(network.config)  # type: ignore[attr-defined]
            x, one = torch.empty(1, *meaning.shape), torch.ones(1)
            labels = torch.zeros(1, dtype=torch.long) if meaning.classes else None
        with torch.no_grad():
            out = bare.eval()(x, one, class_labels=labels).sample
    except Exception as error:  # torch's own errors for sizes that do not match
        raise damaged_network(str(config), first_line(error)[:200]) from None
    if out.shape[2:] != x.shape[2:]:
        raise damaged_network(str(config), f"it makes {tuple(out.shape[2:])} of its sample_size")


class _Sample(nn.Module):
    """The network's answer, out of the record in which diffusers wraps it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, time: Tensor, labels: Tensor | None) -> Tensor:
        """(n, c, h, w) and labels of time (n,) and class (n,) -> (n, outputs, h, w)."""
        answer: Tensor = self.network(x, time, class_labels=labels).sample
        return answer
