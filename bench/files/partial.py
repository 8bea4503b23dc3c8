"""Unfinished downloads: the bytes so far, and the version of the file that they are of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Version:
    """The version of a file.

    Attributes:
        url: where they came from.
        validator: what the server called the version (ETag or date); empty: it did not say.
        total: length of the whole; None: it did not say.
    """

    url: str
    validator: str
    total: int | None


@dataclass(frozen=True)
class PartialFile:
    """`NAME.part` beside the target, and its version in `NAME.part.json`."""

    target: Path

    @property
    def path(self) -> Path:
        """The bytes."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def note(self) -> Path:
        """Their version."""
        return self.target.with_name(self.target.name + ".part.json")

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> tuple[int, Version | None]:
        """Return how many bytes can be kept, and their version; 0 where it must start anew."""
        try:
            version = Version(**json.loads(self.note.read_text(encoding="utf-8")))
            size = self.size
            if version.url != url or not version.validator or size > (version.total or size):
                return 0, None
        except (OSError, ValueError, TypeError):
            return 0, None
        return size, version

    def begin(self, version: Version) -> None:
        """Start ``version`` anew: in this order, so that a kill never mixes two versions."""
        self.discard()
        self.note.write_text(json.dumps(asdict(version)), encoding="utf-8")

    def discard(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
