"""PyTorch's own files (.pth, .pt, .ckpt), through its restricted loader and no other."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.api import inert


def read_torch(path: Path) -> Any:
    """Containers, numbers and tensors of a file, by `torch.load(weights_only=True)`.

    There is no second try without the restriction, whatever the file is.

    Raises:
        BenchError: the file is missing, cut off, or holds more than weights.
    """
    data = inert.read(path)
    _check_archive(path, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch's own use of TypedStorage
        try:
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception as error:
            cause = inert.first_cause(error)
            # An operand that is unknown is garbage rather than an attack.
            if "GLOBAL" in cause or ("nsupported" in cause and "operand" not in cause):
                raise inert.forbidden_error(path, cause) from None
            raise inert.damaged_error(path, f"{type(error).__name__} {cause}") from None
    _check_size(path, loaded, len(data))
    return loaded


def _check_archive(path: Path, data: bytes) -> None:
    """torch stores its records as they are; compressed ones could grow without bounds."""
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            records = archive.infolist()
    except Exception as error:
        raise inert.damaged_error(path, f"its archive is cut off or garbled ({error})") from None
    if any(record.compress_type != zipfile.ZIP_STORED for record in records):
        raise inert.forbidden_error(
            path, "its archive is compressed, which torch's files never are"
        )
    if sum(record.file_size for record in records) > len(data):
        raise inert.forbidden_error(path, "its archive claims more bytes than the file has")


def _check_size(path: Path, loaded: object, limit: int) -> None:
    """All tensors together fit into the file's bytes."""
    seen: set[int] = set()
    pending = [loaded]
    while pending:
        item = pending.pop()
        if isinstance(item, Tensor):
            if item.numel() * item.element_size() > limit:
                raise inert.forbidden_error(
                    path, "a tensor claims more entries than the file has bytes"
                )
        elif isinstance(item, dict | list | tuple | set) and id(item) not in seen:
            seen.add(id(item))
            pending += [*item.keys(), *item.values()] if isinstance(item, dict) else list(item)
