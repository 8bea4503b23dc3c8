"""JSON files that carry a seal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.results import seal
from bench.results.schema import SCHEMA_VERSION


def pack(content: Mapping[str, Any], place: str) -> bytes:
    """Return the content of a file; ``place`` is what it is (see `bench.results.seal`)."""
    blank = seal.blank(place).decode()
    fields = {"schema": SCHEMA_VERSION, **content, "seal": blank}
    return seal.fill(json.dumps(fields, indent=1).encode())


def read(path: Path, place: str) -> dict[str, Any]:
    """Read what ``pack`` was given.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        DamagedError: it is damaged, or of another place.
    """
    content = seal.read(path, place)
    try:
        found: dict[str, Any] = json.loads(content)
        version = found["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise seal.DamagedError(path, f"is damaged ({error})") from None
    if version != SCHEMA_VERSION:
        raise seal.OldError(path, seal.other_version(version))
    return found
