"""The processes that share a training out among themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from bench.api import BenchError


@dataclass(frozen=True)
class ProcessGroup:
    """The number of this process, from 0, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and reports."""
        return self.rank == 0

    def connect(self, model: nn.Module) -> nn.Module:
        """Return `model`, whose `backward` averages gradients over all processes."""
        if self.size == 1:
            return model
        return DistributedDataParallel(model)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of `value` over all processes."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value


@contextmanager
def process_group(device: str) -> Iterator[ProcessGroup]:
    """Give the group of this process and its device, as torchrun's environment names them.

    RANK and WORLD_SIZE say who is there, MASTER_ADDR and MASTER_PORT where to meet. On GPUs
    NCCL connects them, else gloo. Raises BenchError where they do not find each other.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ProcessGroup()
        return
    own = torch.device(own_device(device))
    backend = "nccl" if own.type == "cuda" else "gloo"
    if backend == "nccl":
        torch.cuda.set_device(own)
    try:
        distributed.init_process_group(backend)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BenchError(
            f"training: {size} processes did not find each other ({reason}); check MASTER_ADDR "
            "and MASTER_PORT, or let `bench train --processes N` start them"
        ) from error
    try:
        yield ProcessGroup(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def own_device(device: str) -> str:
    """Return the device of this process: `cuda` becomes the GPU of its local number.

    Raises BenchError where that GPU is not there.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    try:
        kind = torch.device(device)
    except RuntimeError as error:
        raise BenchError(f"--device {device}: no such device; pass cpu, cuda or cuda:0") from error
    if kind.type == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"--device {device}: no GPU is usable here; pass --device cpu")
    if kind.type != "cuda" or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    if ":" in device:
        raise BenchError(
            f"--device {device} with several processes: pass --device cuda, each takes its own GPU"
        )
    if local >= torch.cuda.device_count():
        raise BenchError(
            f"--processes: there are {torch.cuda.device_count()} GPUs, and process {local} (from "
            "0) needs one of its own; pass fewer --processes"
        )
    return f"cuda:{local}"
