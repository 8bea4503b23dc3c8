"""The content of checkpoints: whichever model plugin knows a file describes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.cli.commands.models.files import FileState, select, status_by_content
from bench.core.errors import BenchError
from bench.core.target import Describes
from bench.files.asset import PREFIX, Asset
from bench.files.hashing import file_sha256
from bench.files.hub import HUB
from bench.files.supply import Supply
from bench.registry import Kind, Registry


@dataclass(frozen=True)
class Description:
    """A checkpoint in the words of a model plugin."""

    model: str
    fields: Mapping[str, object]


def describe(path: str, registry: Registry) -> Description | None:
    """Describe the checkpoint at ``path`` by the first model that knows it; None: none does.

    Raises:
        BenchError: it is damaged or hostile.
    """
    refusals: list[BenchError] = []
    for entry in registry.of(Kind.MODEL):
        cls: object = entry.cls
        if isinstance(cls, Describes):
            try:
                fields = cls.describe(path)
            except BenchError as error:
                refusals.append(error)
                continue
            if fields is not None:
                return Description(entry.name, fields)
    if refusals:
        raise refusals[0]
    return None


def info_of(name: str, registry: Registry) -> dict[str, object]:
    """All that is known of a published file's name, or of a path, in the order to show it.

    Raises:
        BenchError: there is no such file, or it is damaged or hostile.
    """
    if not name.startswith((PREFIX, HUB)) and os.path.exists(name):
        return {**_place(Path(name)), **_content(name, registry)}
    (supply, *_) = select([name], registry)
    status = status_by_content(supply)
    fields = {**status.summary(), "reason": " ".join(status.reason.split()) or None}
    if status.state is not FileState.FETCHED:
        return fields
    return {**fields, **_content(_path(supply), registry)}


def _path(supply: Supply) -> str:
    return f"{PREFIX}{supply.name}" if isinstance(supply, Asset) else supply.name


def _place(path: Path) -> dict[str, object]:
    if path.is_dir():
        return {"path": str(path)}
    return {"path": str(path), "size": path.stat().st_size, "sha256": file_sha256(path)}


def _content(path: str, registry: Registry) -> dict[str, object]:
    found = describe(path, registry)
    if found is None:
        return {"model": None}
    return {"model": found.model, "content": dict(found.fields)}
