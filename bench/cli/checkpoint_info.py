"""What is in a checkpoint, and its conversion: whichever model plugin knows the file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.core.target import Describes, Exports
from bench.registry import Kind, Registry, build


@dataclass(frozen=True)
class Description:
    """What a model plugin says of a checkpoint."""

    model: str
    fields: Mapping[str, object]


def described(path: str, registry: Registry) -> Description | None:
    """What the first model that knows the checkpoint at ``path`` says; None: none knows it.

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


def convert(
    source: str, target: Path, model: str, parameters: Mapping[str, Any], registry: Registry
) -> str:
    """Writes ``source`` as safetensors, by ``model`` or whichever knows the file; its name.

    Raises:
        BenchError: none knows it, it cannot be read, or the target cannot be written.
    """
    if not model:
        found = described(source, registry)
        if found is None:
            raise BenchError(
                f"{source}: no model knows this kind of file; name one with --model (see "
                "docs/checkpoints.md)"
            )
        model = found.model
    entry = registry.get(model, Kind.MODEL)
    plugin = build(entry.cls, {"path": source, **parameters})
    if not isinstance(plugin, Exports):
        raise BenchError(f"model '{model}' cannot write safetensors; its files may be such already")
    plugin.export(target)
    return model
