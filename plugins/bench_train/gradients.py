"""Gradients of a batch: in passes over slices of it, or in slices that threads share out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.parallel import DistributedDataParallel

from bench.api import BenchError
from bench_train.process_group import ProcessGroup

Batch = tuple[Tensor, ...]
# The mean loss of a slice of the batch, given its number and its part of the batch.
Loss = Callable[..., Tensor]


class Gradients(Protocol):
    """The mean loss of a batch, with its gradient left in the parameters' `grad`.

    Where `scaler` is enabled the gradient is that of the scaled loss, as `scaler.unscale_` wants.
    """

    def slice_rows(self, batch: int) -> int:
        """Samples of a slice, of a batch of so many."""

    def __call__(
        self, loss: Loss, model: nn.Module, batch: Batch, scaler: GradScaler
    ) -> Tensor: ...


@dataclass(frozen=True)
class Passes:
    """Slices of `rows` samples, one after the other (0: as few as the processes allow).

    Process k of n takes the slices k, k + n, k + 2n, ...: which samples meet in a slice does not
    depend on n if `rows` is given, so that the gradient does not but for the order of sums. Best
    on GPUs, and on CPU cores that are idle.
    """

    rows: int = 0
    group: ProcessGroup = field(default_factory=ProcessGroup)

    def slice_rows(self, batch: int) -> int:
        return min(batch, self.rows or -(-batch // self.group.size))

    def __call__(self, loss: Loss, model: nn.Module, batch: Batch, scaler: GradScaler) -> Tensor:
        total, size = len(batch[0]), self.group.size
        slices = _slices(batch, self.slice_rows(total))
        mine = range(self.group.rank, len(slices), size)
        if len(slices) < size:
            raise BenchError(
                f"training: a batch of {total} in slices of {self.slice_rows(total)} leaves some "
                f"of {size} processes without work; lower --rows or --processes"
            )
        model.zero_grad()
        values = []
        for number in mine:
            part = slices[number]
            with nullcontext() if number == mine[-1] else _without_averaging(model):
                share = loss(number, *part) * (len(part[0]) / total)
                # Models of several processes average over them; wanted is the sum.
                scaler.scale(share * size).backward()
            values.append(share.detach())
        return self.group.total(torch.stack(values).sum())


@dataclass(frozen=True)
class Sliced:
    """Slices of `rows` rows, taken from a queue by `workers` threads with one core each.

    On a CPU that others load too, operators split over all cores wait for the slowest core
    again and again; a worker that is held up here merely takes fewer slices. Slices are summed
    in order, so neither the number of workers nor their speed changes a bit of the result.
    """

    rows: int = 64
    workers: int = 2

    def slice_rows(self, batch: int) -> int:
        return min(batch, self.rows)

    def __call__(self, loss: Loss, model: nn.Module, batch: Batch, scaler: GradScaler) -> Tensor:
        total = len(batch[0])
        slices = _slices(batch, self.slice_rows(total))
        parameters = [p for p in model.parameters() if p.requires_grad]

        def work(number: int) -> tuple[Tensor, tuple[Tensor, ...]]:
            part = slices[number]
            value = loss(number, *part) * (len(part[0]) / total)
            return value.detach(), torch.autograd.grad(scaler.scale(value), parameters)

        with ThreadPoolExecutor(self.workers, initializer=_use_one_core) as pool:
            results = list(pool.map(work, range(len(slices))))
        sums = results[0][1]
        for _, gradients in results[1:]:
            for accumulated, gradient in zip(sums, gradients, strict=True):
                accumulated.add_(gradient)
        _store(parameters, sums)
        return torch.stack([value for value, _ in results]).sum()


def _slices(batch: Batch, rows: int) -> list[Batch]:
    return list(zip(*(part.split(rows) for part in batch), strict=True))


def _without_averaging(model: nn.Module) -> AbstractContextManager[None]:
    """Keep gradients in this process, for averaging with those of its last slice."""
    return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()


def _use_one_core() -> None:
    torch.set_num_threads(1)


def _store(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        # Convolutions may hand back gradients in channels-last order; unlike `backward`,
        # `autograd.grad` leaves them so, and the fused Adam reads memory in the parameter's order.
        same = gradient.stride() == parameter.stride()
        parameter.grad = gradient if same else torch.empty_like(parameter).copy_(gradient)
