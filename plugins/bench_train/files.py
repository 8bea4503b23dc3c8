"""Tensors with a JSON record in safetensors files, written atomically."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor


def write_tensors(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, object]) -> None:
    """Writes `tensors`, and `record` as JSON under the metadata key 'bench', to `path`.

    A reader sees the old file or the whole new one.
    """
    content = save(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        metadata={"bench": json.dumps(dict(record), sort_keys=True)},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
