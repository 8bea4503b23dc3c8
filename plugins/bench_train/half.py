"""Files of weights at half their size."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.api import read_weights, write_weights


def halve(path: Path) -> None:
    """Rewrite a file of weights with its matrices and kernels in float16.

    Vectors (biases, scales, frequencies) stay as they are: they are few, and their errors would
    not average out. Readers compute in the precision that they are asked for.

    Raises:
        BenchError: the file cannot be read or written.
    """
    file = read_weights(path)
    tensors = {name: t.half() if t.ndim > 1 else t for name, t in file.tensors.items()}
    write_weights(path, tensors, {**file.record, "stored": str(torch.float16)})
