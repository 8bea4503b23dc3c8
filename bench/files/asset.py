"""Files that somebody published: weights of score models and extractors, reference statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from bench.core.errors import BenchError
from bench.files.cache import cache_folder
from bench.files.hashing import file_sha256

PREFIX = "published:"
"""What begins a path in YAML that is the name of an asset."""


@dataclass(frozen=True)
class Asset:
    """A published file, and where it lies once it was fetched.

    Attributes:
        name: what users call it, such as `edm-cifar10-32x32-uncond-vp`.
        url: where it is to be had.
        file: its path in the cache folder, such as `models/edm-cifar10-32x32-uncond-vp.pkl`.
        sha256: its hash; empty where nobody published one: then the first download is pinned.
        size: its size in bytes; None where it is not known.
        about: one line: what it is, from whom, under which licence.
    """

    name: str
    url: str
    file: str
    sha256: str = ""
    size: int | None = None
    about: str = ""

    @property
    def path(self) -> Path:
        """Where it is looked for."""
        return cache_folder() / self.file

    def located(self) -> Path:
        """Its path, once it is there and its hash was verified.

        Raises:
            BenchError: it is missing or damaged; says what to fetch and where to put it.
        """
        try:
            digest = file_sha256(self.path)
        except OSError as error:
            raise BenchError(
                f"{self.name} is missing ({self.path}: {error.strerror}); run `bench models fetch "
                f"{self.name}`, or fetch {self.url} and put it there, or name another folder in "
                "BENCH_CACHE"
            ) from None
        if self.sha256 and digest != self.sha256:
            raise BenchError(
                f"{self.path}: sha256 is {digest}, not {self.sha256}: the file is damaged or "
                f"another one; delete it and fetch {self.url} again"
            )
        return self.path


@runtime_checkable
class NeedsAssets(Protocol):
    """A plugin, with its parameters, that reads published files."""

    def assets(self) -> Sequence[Asset]:
        """The files; the host fetches those that are missing before it runs anything."""
        ...
