"""Tensors of pickles, rebuilt within the bounds of the bytes that the file really has."""

from __future__ import annotations

import io
import math
import warnings

import numpy as np
import torch
from torch import Tensor
from torch.storage import TypedStorage

from bench.files.inert.objects import Object
from bench.files.inert.refusal import Refused, first_cause

_SCALARS = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})


def storage(content: object) -> TypedStorage:
    """The storage that `torch.storage._load_from_bytes` would load, by the restricted loader."""
    if not isinstance(content, bytes):
        raise Refused("a storage is no bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch's own use of TypedStorage
        try:
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:
            raise Refused(f"a tensor's storage is no storage: {first_cause(error)}") from None
        if not isinstance(loaded, TypedStorage):
            raise Refused(f"a tensor's storage is a {type(loaded).__name__}")
        if loaded.nbytes() > len(content):
            raise Refused("a tensor's storage claims more bytes than the file has")
    return loaded


def rebuild_tensor(
    store: object, offset: object, size: object, stride: object, *rest: object
) -> Tensor:
    """`torch._utils._rebuild_tensor_v2`, with all bounds checked before memory is touched."""
    if not isinstance(store, TypedStorage):
        raise Refused("a tensor has no storage")
    lengths, strides = _naturals(size), _naturals(stride)
    (start,) = _naturals((offset,))
    if len(lengths) != len(strides):
        raise Refused("a tensor's size and stride differ in length")
    count = math.prod(lengths)
    last = start + sum((n - 1) * step for n, step in zip(lengths, strides, strict=True))
    # Without the first a stride of 0 makes a giant of one number.
    if count > store._size() or (count and last >= store._size()):
        raise Refused("a tensor claims more entries than its storage has")
    empty = torch.empty(0, dtype=store.dtype)
    return empty.set_(store._untyped_storage, start, lengths, strides)


def rebuild_parameter(data: object, *rest: object) -> Tensor:
    """`torch._utils._rebuild_parameter`: only the tensor."""
    if not isinstance(data, Tensor):
        raise Refused("a parameter is no tensor")
    return data


def scalar(kind: object, content: object = b"") -> object:
    """`numpy.core.multiarray.scalar` of a plain number; others stay bytes."""
    if not isinstance(kind, Object) or not kind.args or kind.args[0] not in _SCALARS:
        raise Refused("a numpy scalar is no plain number")
    return np.frombuffer(latin1(content), dtype=f"<{kind.args[0]}", count=1)[0].item()


def latin1(text: object, *encoding: object) -> bytes:
    """`_codecs.encode(text, "latin1")`, by which older pickles hold bytes."""
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str) or encoding not in ((), ("latin1",)):
        raise Refused("text is encoded in a way other than latin1")
    return text.encode("latin1")


def _naturals(values: object) -> list[int]:
    if not isinstance(values, tuple) or not all(
        type(value) is int and 0 <= value < 2**48 for value in values
    ):
        raise Refused("a tensor's size, stride or offset is no whole number")
    return list(values)
