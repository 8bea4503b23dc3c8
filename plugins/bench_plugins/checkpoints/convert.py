"""Checkpoints as safetensors files that describe themselves (`bench models convert`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from bench.api import BenchError, atomic_write_bytes
from bench_plugins.checkpoints.reading.safe_files import RECORD


def write_safetensors(
    target: Path, record: Mapping[str, object], weights: Mapping[str, Tensor]
) -> None:
    """Write weights, and in the header what they are (`record`), to ``target``.

    Raises:
        BenchError: it cannot be written.
    """
    if target.suffix != ".safetensors":
        raise BenchError(f"{target}: must end in .safetensors")
    if not target.parent.is_dir():
        raise BenchError(f"{target}: cannot be written (there is no such folder)")
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
    content = save(own, {RECORD: json.dumps(dict(record), sort_keys=True)})
    atomic_write_bytes(target, content, "make room, or choose another place")
