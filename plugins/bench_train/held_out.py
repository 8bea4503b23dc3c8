"""The small test sets that ship beside the weights, for likelihoods and tasks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from bench.api import write_weights
from bench_train.classifier import require_labels
from bench_train.data import generator_of
from bench_train.split import DataSplit


def save_held_out(path: Path, split: DataSplit, n: int, seed: int | None = None) -> None:
    """Write `n` test samples of `split` as the uint8 tensor `samples`, with a record.

    They are the first ones, or those drawn by ``seed``, where a data set is sorted by class.
    """
    samples = split.test.samples[_rows(split, n, seed)].contiguous()
    digest = hashlib.sha256(samples.numpy().tobytes()).hexdigest()
    record = _record(split, len(samples), seed) | {"levels": split.levels, "sha256": digest}
    write_weights(path, {"samples": samples}, record)


def save_held_out_labels(path: Path, split: DataSplit, n: int, seed: int | None = None) -> None:
    """Write the classes of the same samples as the int64 tensor `labels`.

    Raises:
        BenchError: the data have no labels.
    """
    labels = require_labels(split.test, split.name)[1][_rows(split, n, seed)]
    write_weights(path, {"labels": labels}, _record(split, len(labels), seed))


def _rows(split: DataSplit, n: int, seed: int | None) -> Tensor:
    total = len(split.test.samples)
    if seed is None:
        return torch.arange(min(n, total))
    return torch.randperm(total, generator=generator_of(seed, 8))[:n]


def _record(split: DataSplit, n: int, seed: int | None) -> dict[str, object]:
    part = f"test, first {n}" if seed is None else f"test, {n} drawn by seed {seed}"
    return {"data": split.name, "part": part, "licence": split.licence}
