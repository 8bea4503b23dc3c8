"""The state dict of a network that was pickled whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from bench.api import inert


def state_dict(module: inert.Object) -> dict[str, Tensor]:
    """Parameters and buffers by their dotted names, in the order of `nn.Module.state_dict`.

    Raises:
        inert.Refused: the object is no module, or its parts are no tree.
    """
    return dict(_entries(module, "", set()))


def _entries(module: inert.Object, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    # Each module once: a pickle can refer to one object from many places, or to itself.
    if id(module) in seen or prefix.count(".") > 16:
        raise inert.Refused("its modules are no tree")
    seen.add(id(module))
    for group in ("_parameters", "_buffers"):
        for name, tensor in _group(module, group).items():
            if isinstance(tensor, Tensor):
                yield prefix + name, tensor.detach()
            elif tensor is not None:
                raise inert.Refused(f"'{prefix}{name}' is no tensor")
    for name, part in _group(module, "_modules").items():
        if isinstance(part, inert.Object):
            yield from _entries(part, f"{prefix}{name}.", seen)
        elif part is not None:
            raise inert.Refused(f"'{prefix}{name}' is no module")


def _group(module: inert.Object, group: str) -> dict[str, Any]:
    fields = module.fields().get(group, {})
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise inert.Refused(f"'{group}' of a '{module.kind}' is no mapping of names")
    return fields
