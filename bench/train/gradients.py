"""Gradients of a batch, whole or in slices that several threads share out among themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor, Tensor]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


class Gradients(Protocol):
    """Computes the mean loss of a batch and leaves its gradient in the parameters' `grad`."""

    def __call__(self, loss: Loss, parameters: Sequence[Tensor], batch: Batch) -> Tensor: ...


@dataclass(frozen=True)
class WholeBatch:
    """One pass over the batch: best on GPUs, and on CPU cores that are idle."""

    def __call__(self, loss: Loss, parameters: Sequence[Tensor], batch: Batch) -> Tensor:
        value = loss(*batch)
        gradients = torch.autograd.grad(value, parameters)
        _store(parameters, gradients)
        return value.detach()


@dataclass(frozen=True)
class Sliced:
    """Slices of `rows` rows, taken from a queue by `workers` threads with one core each.

    On a CPU that others load too, operators split over all cores wait for the slowest core
    again and again; a worker that is held up here merely takes fewer slices. Slices are summed
    in order, so neither the number of workers nor their speed changes a bit of the result.
    """

    rows: int = 64
    workers: int = 2

    def __call__(self, loss: Loss, parameters: Sequence[Tensor], batch: Batch) -> Tensor:
        total = len(batch[0])
        slices = list(zip(*(part.split(self.rows) for part in batch), strict=True))

        def work(part: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
            value = loss(*part) * (len(part[0]) / total)
            return value.detach(), torch.autograd.grad(value, parameters)

        with ThreadPoolExecutor(self.workers, initializer=_use_one_core) as pool:
            results = list(pool.map(work, slices))
        sums = results[0][1]
        for _, gradients in results[1:]:
            for accumulated, gradient in zip(sums, gradients, strict=True):
                accumulated.add_(gradient)
        _store(parameters, sums)
        return torch.stack([value for value, _ in results]).sum()


def _use_one_core() -> None:
    torch.set_num_threads(1)


def _store(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        # Convolutions may hand back gradients in channels-last order; unlike `backward`,
        # `autograd.grad` leaves them so, and the fused Adam reads memory in the parameter's order.
        same = gradient.stride() == parameter.stride()
        parameter.grad = gradient if same else torch.empty_like(parameter).copy_(gradient)
