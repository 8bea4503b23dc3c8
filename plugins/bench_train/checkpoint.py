"""Checkpoints: everything a training needs to go on as if it had never stopped."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from bench.api import BenchError, atomic_write

_REMEDY = "make room or give another --out, and go on with --resume from the last one"


@dataclass(frozen=True)
class Progress:
    """How far a training is. Its random numbers are functions of (seed, step): no state here."""

    step: int
    identity: str


@dataclass(frozen=True)
class Trainee:
    """The moving parts of a training; the averages go by their labels."""

    model: nn.Module
    averages: Mapping[str, AveragedModel]
    optimizer: Optimizer
    scaler: GradScaler

    def save(self, path: Path, progress: Progress) -> None:
        """Writes all of it to `path` atomically: a reader sees the old file or the new one.

        Raises BenchError where it cannot be written.
        """
        content = {
            "step": progress.step,
            "identity": progress.identity,
            "model": self.model.state_dict(),
            "averages": {name: item.state_dict() for name, item in self.averages.items()},
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        with atomic_write(path, _REMEDY) as temporary:
            try:
                torch.save(content, temporary)
            except RuntimeError as error:  # torch's own, such as for a full disk
                raise OSError(str(error)) from None

    def load(self, path: Path, identity: str) -> int:
        """Restores the state from `path`; returns the number of steps that were done.

        Raises BenchError where the file is unreadable or was written by another configuration.
        """
        content = read_checkpoint(path)
        if content["identity"] != identity:
            raise BenchError(
                f"{path}: this checkpoint was written by another configuration:\n"
                f"  there: {content['identity']}\n  here:  {identity}\n"
                "resume with the options it was started with, or give another output folder"
            )
        try:
            self.model.load_state_dict(content["model"])
            for name, average in self.averages.items():
                average.load_state_dict(content["averages"][name])
            self.optimizer.load_state_dict(content["optimizer"])
            self._load_scale(content["scaler"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise BenchError(
                f"{path}: the checkpoint holds another network ({error}); "
                "resume with the same network options, or give another output folder"
            ) from error
        return int(content["step"])

    def _load_scale(self, state: dict[str, Any]) -> None:
        # Empty where the training was not in float16; precision may change on resuming.
        if self.scaler.is_enabled() and state:
            self.scaler.load_state_dict(state)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, tensors and plain values only (no code is unpickled)."""
    try:
        content: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        missing = {"step", "identity", "model", "averages", "optimizer", "scaler"} - content.keys()
    except (OSError, RuntimeError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        raise BenchError(
            f"{path}: cannot read the checkpoint ({error}); delete it to start afresh"
        ) from error
    if missing:
        raise BenchError(
            f"{path}: no training checkpoint, it lacks {sorted(missing)}; delete it to start afresh"
        )
    return content
