"""The tensors of a TorchScript archive, read without loading the program that is in it.

Such an archive is a zip of a pickled module (`data.pkl`), its tensors (`data/0`, ...) and its
source text (`code/`). `torch.jit.load` compiles the text; here it is never looked at, and the
pickle goes through a reader whose names are stand-ins that keep what they are given.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.api import inert

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}
_DEEPEST = 32  # modules in modules


def is_torchscript(content: bytes) -> bool:
    """True for a TorchScript archive, False for a plain file of torch.save."""
    if not content.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def read_torchscript(path: Path, content: bytes) -> dict[str, Tensor]:
    """All tensors of the module in ``content`` (the file ``path``), by their dotted names.

    Raises:
        BenchError: the file is damaged, or holds more than modules, numbers and tensors.
    """
    with inert.guard_reading(path):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive, len(content))
            (program,) = (n for n in archive.namelist() if n.count("/") == 1 and "/data.pkl" in n)
            module = _Unpickler(archive, program).load()
        if not isinstance(module, inert.Object):
            raise inert.Refused("it holds no module")
        return dict(_entries(module, "", 0))


def _check(archive: zipfile.ZipFile, limit: int) -> None:
    """Records of tensors are stored as they are: then nothing grows beyond the file's size."""
    records = [r for r in archive.infolist() if "/code/" not in r.filename]
    if any(r.compress_type != zipfile.ZIP_STORED for r in records):
        raise inert.Refused("its tensors are compressed, which torch's never are")
    if sum(record.file_size for record in records) > limit:
        raise inert.Refused("its archive claims more bytes than the file has")


class _Unpickler(pickle.Unpickler):
    """Builds modules as inert records, and tensors from the archive's records."""

    def __init__(self, archive: zipfile.ZipFile, program: str) -> None:
        super().__init__(io.BytesIO(archive.read(program)))
        self._archive = archive
        self._folder = program.removesuffix(".pkl")
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        name = f"{module_name}.{global_name}"
        if module_name == "torch" and global_name in _DTYPES:
            return inert.object_class(global_name)
        if module_name.split(".")[0] == "__torch__":
            return inert.object_class(name)
        if module_name == "torch.jit._pickle":  # lists of numbers, and their types
            return inert.Rule(name, inert.object_class(global_name))
        if name not in _RULES:
            raise inert.Refused(f"it asks for '{name}', which weights have no use for")
        return _RULES[name]

    def persistent_load(self, pid: object) -> Any:
        match pid:
            case ("storage", type() as kind, str(key), str(), int(count)):
                dtype = _DTYPES.get(kind.__name__)
                if dtype is None:
                    raise inert.Refused(f"a tensor's storage is a '{kind.__name__}'")
                return self._storage(key, dtype, count)._typed_storage()
            case _:
                raise inert.Refused("it refers to objects outside of the file")

    def _storage(self, key: str, dtype: torch.dtype, count: int) -> Tensor:
        if key not in self._storages:
            record = self._archive.read(f"{self._folder}/{key}")
            self._storages[key] = torch.frombuffer(bytearray(record), dtype=dtype)
        found = self._storages[key]
        if found.dtype != dtype or len(found) != count:
            raise inert.Refused(f"the storage '{key}' has another size or type than it claims")
        return found


_RULES: Mapping[str, object] = {
    "torch._utils._rebuild_tensor_v2": inert.Rule("_rebuild_tensor_v2", inert.rebuild_tensor),
    "collections.OrderedDict": inert.Rule("OrderedDict", dict),  # hooks of a tensor: none
}


def _entries(module: inert.Object, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    if depth > _DEEPEST:
        raise inert.Refused("its modules are no tree")
    for name, value in module.fields().items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, inert.Object):
            yield from _entries(value, f"{prefix}{name}.", depth + 1)
