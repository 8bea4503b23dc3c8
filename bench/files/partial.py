"""A download that is not finished: the bytes so far, and which version of the file they are of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Version:
    """Which file the bytes are of.

    Attributes:
        url: where they came from.
        validator: what the server called the version (ETag or date); empty: it did not say.
        total: length of the whole; None: it did not say.
    """

    url: str
    validator: str
    total: int | None


@dataclass(frozen=True)
class Part:
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
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> tuple[int, Version | None]:
        """How many bytes can be kept, and of which version; 0 where it must start anew."""
        try:
            version = Version(**json.loads(self.note.read_text(encoding="utf-8")))
            size = self.size
            if version.url != url or not version.validator or size > (version.total or size):
                return 0, None
        except (OSError, ValueError, TypeError):
            return 0, None
        return size, version

    def begin(self, version: Version) -> None:
        """Nothing of ``version`` yet: in this order, so that a kill never mixes two versions."""
        self.discard()
        self.note.write_text(json.dumps(asdict(version)), encoding="utf-8")

    def discard(self) -> None:
        """Forgets it."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
