"""safetensors files: tensors, and text beside them. Nothing in them can be run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load
from torch import Tensor

from bench.api import inert

RECORD = "bench_checkpoints"


def header(path: Path) -> dict[str, str]:
    """The texts beside the tensors of a file.

    Raises:
        BenchError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise inert.damaged_error(path, f"it is no readable safetensors file ({error})") from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file, and its record: the JSON of the header entry `bench_checkpoints`.

    A file without such an entry has an empty record.

    Raises:
        BenchError: the file is missing or damaged, or its record is no JSON object.
    """
    data = inert.read(path)
    try:
        tensors = load(data)
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {}).get(RECORD, "{}"))
    except KeyError as error:  # of the library's table of types
        raise inert.damaged_error(
            path, f"its tensors are of type {error}, which is not known"
        ) from None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise inert.damaged_error(path, f"it is no readable safetensors file ({error})") from None
    if not isinstance(record, dict):
        raise inert.damaged_error(path, f"its header entry '{RECORD}' is no JSON object")
    return tensors, record


def entries(path: Path) -> int:
    """Count of the numbers in all tensors of a file, read from its header.

    Raises:
        BenchError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise inert.damaged_error(path, f"it is no readable safetensors file ({error})") from None


def names(path: Path) -> set[str]:
    """Names of the tensors of a file, read from its header.

    Raises:
        BenchError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return set(file.keys())
    except (SafetensorError, OSError) as error:
        raise inert.damaged_error(path, f"it is no readable safetensors file ({error})") from None
