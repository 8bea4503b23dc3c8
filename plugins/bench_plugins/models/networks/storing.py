"""Writing networks to safetensors files that describe themselves."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save
from torch import nn

from bench_plugins.models.networks.metadata import Kind, Metadata


def save_network(path: Path, network: nn.Module, metadata: Metadata) -> None:
    """Writes the weights of `network` (as float32) and `metadata` (as JSON) to `path`, atomically.

    The file holds tensors and text only; `load_network` reads it back.
    """
    record = asdict(metadata)
    del record["sha256"]  # a file cannot hold its own digest
    record["kind"] = Kind.of(metadata.network).value
    # Batch norm counts its updates in an int64 that inference never reads.
    state = {
        name: tensor.detach().cpu().float().contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(state, metadata={"bench": json.dumps(record, sort_keys=True)}))
    os.replace(partial, path)
