"""The tensors that a denoiser computes with, to see if they are as they were."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

_MOST = 100_000
"""Objects that are looked at: a model's own are a few hundred."""


@dataclass(frozen=True)
class Weights:
    """The tensors that can be reached from an object, and a checksum of each one's bits."""

    tensors: tuple[Tensor, ...]
    sums: tuple[int, ...]

    @staticmethod
    def of(owner: object) -> Weights:
        """Find those of ``owner``: a module, a function with what it closes over, an object."""
        tensors = tuple(_tensors(owner))
        return Weights(tensors, tuple(map(_checksum, tensors)))

    def changed(self) -> int:
        """The number of those that have other bits now."""
        return sum(
            _checksum(tensor) != before
            for tensor, before in zip(self.tensors, self.sums, strict=True)
        )


_BLOCK = 8 * 1024


def _checksum(tensor: Tensor) -> int:
    """A hash of 1024 sums of 64-bit words: whatever one change there is, it is seen."""
    if tensor.is_meta or tensor.layout is not torch.strided or not tensor.numel():
        return 0
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    with torch.inference_mode():
        data = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        if data.storage_offset() * data.element_size() % 8:
            data = data.clone()
        data = data.view(torch.uint8)
        whole = len(data) // _BLOCK * _BLOCK
        sums = data[:whole].view(torch.int64).view(-1, _BLOCK // 8).sum(0)
        return hash((*sums.tolist(), *data[whole:].tolist()))


def _tensors(owner: object) -> Iterator[Tensor]:
    """All tensors within reach, each once."""
    waiting, seen = [owner], {id(owner)}
    while waiting and len(seen) < _MOST:
        item = waiting.pop()
        if isinstance(item, Tensor):
            yield item
            continue
        for part in _parts(item):
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def _parts(item: Any) -> Iterator[Any]:
    """The parts of an object that may be or hold a tensor."""
    if isinstance(item, nn.Module):
        yield from item.parameters()
        yield from item.buffers()
    elif isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list | tuple | set | frozenset):
        yield from item
    elif isinstance(item, partial):
        yield from (item.func, *item.args, *item.keywords.values())
    elif isinstance(item, types.MethodType):
        yield from (item.__self__, item.__func__)
    elif isinstance(item, types.FunctionType):
        for cell in item.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # a name that has no value yet
                continue
    elif dataclasses.is_dataclass(item) and not isinstance(item, type):
        yield from (getattr(item, field.name, None) for field in dataclasses.fields(item))
    elif not isinstance(item, type | types.ModuleType):
        yield from getattr(item, "__dict__", {}).values()
