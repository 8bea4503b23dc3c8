"""Published files behind the digests in a table of results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bench.files.pins import pin_of
from bench.results.places import FILES, is_digest, places

_PUBLISHED = "published:"


@dataclass(frozen=True)
class KnownFiles:
    """The files of a table of results.

    Attributes:
        paths: by digest, where they lay.
    """

    paths: Mapping[str, frozenset[str]]

    def is_called(self, value: object, name: str) -> bool:
        """True where a parameter's value, a digest or a path, is the file that ``name`` names.

        A file is ``published:NAME`` if it was called so, or has the hash that NAME is pinned to.
        """
        if value == name:
            return True
        if not is_digest(value):
            return False
        pin = pin_of(name.removeprefix(_PUBLISHED)) if name.startswith(_PUBLISHED) else None
        pinned = pin is not None and f"sha256:{pin.sha256}".startswith(str(value))
        return pinned or name in self.paths.get(str(value), ())

    def format(self, value: object) -> str:
        """The value for people: of a digest the path."""
        paths = self.paths.get(str(value), frozenset())
        return min(paths) if paths else "" if value is None else str(value)


def known_files(results: pd.DataFrame) -> KnownFiles:
    """The files of ``results``, which may be of a version that does not tell."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in results[FILES].unique() if FILES in results else ():
        for digest, path in places([text]).items():
            found[digest].add(path)
    return KnownFiles({digest: frozenset(paths) for digest, paths in found.items()})
