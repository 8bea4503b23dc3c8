"""Tensors from files that can hold nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from bench.core.errors import BenchError, first_line


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Return the named tensors of a .safetensors, .npz or .npy file (its array is ``samples``).

    Raises:
        BenchError: the file is missing, damaged, or of another kind.
    """
    try:
        if path.suffix == ".safetensors":
            return load(path.read_bytes())
        if path.suffix in (".npz", ".npy"):
            return _load_numpy(path)
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except Exception as error:  # numpy and zipfile fail on garbage in every way there is
        raise BenchError(
            f"{path}: is damaged or holds no plain arrays ({first_line(error)})"
        ) from None
    raise BenchError(f"{path}: unknown kind of file; use .safetensors, .npz or .npy")


def _load_numpy(path: Path) -> dict[str, Tensor]:
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return {"samples": torch.from_numpy(loaded)}
    with loaded:
        return {name: torch.from_numpy(loaded[name]) for name in loaded.files}
