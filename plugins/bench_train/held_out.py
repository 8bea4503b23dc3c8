"""The small test sets that ship beside the weights, for likelihoods."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.api import write_weights
from bench_train.split import DataSplit


def save_held_out(path: Path, split: DataSplit, n: int) -> None:
    """Write the first `n` test samples of `split` as the uint8 tensor `samples`, with a record."""
    samples = split.test.samples[:n].contiguous()
    record = {
        "data": split.name,
        "part": f"test, first {len(samples)}",
        "levels": split.levels,
        "licence": split.licence,
        "sha256": hashlib.sha256(samples.numpy().tobytes()).hexdigest(),
    }
    write_weights(path, {"samples": samples}, record)
