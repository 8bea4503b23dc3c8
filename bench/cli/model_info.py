"""`bench models info`: all that is known of a published file, or of a checkpoint of one's own."""

from __future__ import annotations

import os
from pathlib import Path

from bench.cli.checkpoint_info import described
from bench.cli.model_files import State, chosen, verified
from bench.files.asset import PREFIX, Asset
from bench.files.hashing import file_sha256
from bench.files.hub import HUB
from bench.files.supply import Supply
from bench.registry import Registry


def info_of(name: str, registry: Registry) -> dict[str, object]:
    """What is known of a published file's name, or of a path, in the order to show it.

    Raises:
        BenchError: there is no such file, or it is damaged or hostile.
    """
    if not name.startswith((PREFIX, HUB)) and os.path.exists(name):
        return {**_place(Path(name)), **_content(name, registry)}
    (supply, *_) = chosen([name], registry)
    standing = verified(supply)
    fields = {**standing.summary(), "reason": " ".join(standing.reason.split()) or None}
    if standing.state is not State.FETCHED:
        return fields
    return {**fields, **_content(_path(supply), registry)}


def _path(supply: Supply) -> str:
    return f"{PREFIX}{supply.name}" if isinstance(supply, Asset) else supply.name


def _place(path: Path) -> dict[str, object]:
    if path.is_dir():
        return {"path": str(path)}
    return {"path": str(path), "size": path.stat().st_size, "sha256": file_sha256(path)}


def _content(path: str, registry: Registry) -> dict[str, object]:
    found = described(path, registry)
    if found is None:
        return {"model": None}
    return {"model": found.model, "content": dict(found.fields)}
