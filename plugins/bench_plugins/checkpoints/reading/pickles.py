"""A pickle reader that knows a dozen names, none of which can do anything.

A pickle is a program: it names functions and calls them. Here every name is looked up in a list
of our own, and what it finds there are stand-ins that keep what they are given (`inert`) or build
a tensor (`tensors`). A name that is not on the list ends the reading. EDM's files hold the source
text of their classes (`torch_utils.persistence`), which its own loader executes; here the text is
thrown away and the state kept.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

from bench.api import inert

_EMBEDDED = inert.object_class("persistent object")


def read_pickle(path: Path) -> Any:
    """The content of a pickle as plain containers, numbers, tensors and `inert.Object`s.

    Raises:
        BenchError: the file is missing, cut off, or names anything that is not on the list.
    """
    data = inert.read(path)
    _check_program(path, data)
    with inert.guard_reading(path):
        return _Unpickler(io.BytesIO(data)).load()


def _persistent(meta: object) -> inert.Object:
    """EDM's `_reconstruct_persistent_obj`: class name and state; the source text is dropped."""
    if not isinstance(meta, dict) or not isinstance(meta.get("class_name"), str):
        raise inert.Refused("a persistent object has no class name")
    made = _EMBEDDED()
    made.kind, made.state = meta["class_name"], meta.get("state")
    return made


def _ordered_dict(*items: object) -> OrderedDict[Any, Any]:
    pairs = items[0] if items else []
    if not isinstance(pairs, list):
        raise inert.Refused("an OrderedDict is not made of a list")
    return OrderedDict(pairs)


def _set(items: object = ()) -> frozenset[Any]:
    if not isinstance(items, list | tuple):
        raise inert.Refused("a set is not made of a list")
    return frozenset(items)


def _rule(name: str, call: Any) -> tuple[str, inert.Rule]:
    return name, inert.Rule(name, call)


_ALLOWED: dict[str, object] = {
    **dict(
        (
            _rule("torch_utils.persistence._reconstruct_persistent_obj", _persistent),
            _rule("torch._utils._rebuild_tensor_v2", inert.rebuild_tensor),
            _rule("torch._utils._rebuild_parameter", inert.rebuild_parameter),
            _rule("torch.storage._load_from_bytes", inert.storage),
            _rule("numpy.core.multiarray.scalar", inert.scalar),
            _rule("numpy._core.multiarray.scalar", inert.scalar),
            _rule("numpy.core.multiarray._reconstruct", inert.object_class("ndarray")),
            _rule("numpy._core.multiarray._reconstruct", inert.object_class("ndarray")),
            _rule("numpy._core.numeric._frombuffer", inert.object_class("ndarray")),
            _rule("numpy.core.numeric._frombuffer", inert.object_class("ndarray")),
            _rule("numpy.dtype", inert.object_class("dtype")),
            _rule("_codecs.encode", inert.latin1),
            _rule("collections.OrderedDict", _ordered_dict),
            _rule("builtins.set", _set),
            _rule("builtins.frozenset", _set),
            _rule("__builtin__.set", _set),
            _rule("__builtin__.frozenset", _set),
        )
    ),
    "numpy.ndarray": inert.object_class("ndarray"),
    "dnnlib.util.EasyDict": inert.Dictionary,
    "torch.nn.modules.container.ModuleDict": inert.object_class("ModuleDict"),
    "torch.nn.modules.container.ModuleList": inert.object_class("ModuleList"),
    "torch.nn.modules.container.Sequential": inert.object_class("Sequential"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        name = f"{module_name}.{global_name}"
        if name not in _ALLOWED:
            raise inert.Refused(f"it asks for '{name}', which weights have no use for")
        return _ALLOWED[name]

    def persistent_load(self, pid: object) -> Any:
        raise inert.Refused("it refers to objects outside of the file")


def _check_program(path: Path, data: bytes) -> None:
    """Reads the pickle's instructions without following them.

    They must be complete, and the memo no larger than the file: the reader would else fill
    gigabytes before it sees that there is nothing to put there.
    """
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(data):
                raise inert.Refused(
                    f"its memo has {argument} entries, more than the file has bytes"
                )
            if opcode.name in ("EXT1", "EXT2", "EXT4"):
                raise inert.Refused("it uses registered extensions")
    except inert.Refused as refusal:
        raise inert.forbidden_error(path, str(refusal)) from None
    except Exception as error:
        raise inert.damaged_error(path, f"its pickle is cut off or garbled ({error})") from None
