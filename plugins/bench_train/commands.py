"""The commands of training."""

from __future__ import annotations

from collections.abc import Sequence

from bench.extend import Command, hookimpl
from bench_train.command import TRAIN_EPILOG, train_classifier_command, train_command


@hookimpl
def bench_commands() -> Sequence[Command]:
    """Train a score model; train a classifier."""
    return [
        Command("train", train_command, TRAIN_EPILOG, rank=70),
        Command("train-classifier", train_classifier_command, rank=71),
    ]
