"""Published files: weights of score models and extractors, reference statistics."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

from bench.core.errors import BenchError
from bench.core.plugin import require
from bench.files.cache import cache_folder
from bench.files.errors import NotFetchedError
from bench.files.hashing import file_sha256
from bench.files.hub import HubFolder
from bench.files.pins import own_pins, pin_of, unreadable

PREFIX = "published:"
"""The beginning of a path in YAML that is the name of an asset."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""The form of names (a regular expression)."""


@dataclass(frozen=True)
class Asset:
    """A published file, and where it lies once it was fetched.

    Attributes:
        name: what users call it, such as `edm-cifar10-32x32-uncond-vp`.
        url: where it is to be had; for a manual one the page where people find it.
        file: its path in the cache folder, such as `models/edm-cifar10-32x32-uncond-vp.pkl`.
        sha256: its hash; empty where nobody published one: then the first download is pinned.
        size: its size in bytes; None where it is not known.
        about: one line: what it is, and from whom.
        licence: under which licence it was published; empty where it is not known.
        manual: what a person has to do where no program can download it; empty for others.
    """

    name: str
    url: str
    file: str
    sha256: str = ""
    size: int | None = None
    about: str = ""
    licence: str = ""
    manual: str = ""

    def __post_init__(self) -> None:
        place = PurePosixPath(self.file)
        require(bool(re.fullmatch(NAME, self.name)), f"'{self.name}' is no name for a file")
        inside = bool(place.parts) and not place.is_absolute() and ".." not in place.parts
        plain = self.file.isprintable() and "\\" not in self.file
        require(inside and plain, f"{self.name}: file must lie in the cache folder")
        require(bool(re.fullmatch("([0-9a-f]{64})?", self.sha256)), f"{self.name}: bad sha256")

    @property
    def path(self) -> Path:
        """The place where it is looked for."""
        return cache_folder() / self.file

    @property
    def pin(self) -> str:
        """The sha256 that it must have: as published, else of the first download, else empty."""
        if self.sha256:
            return self.sha256
        pinned = pin_of(self.name)
        return pinned.sha256 if pinned else ""

    def present(self) -> bool:
        """Tell whether its file is there, damaged or not."""
        return self.path.is_file()

    def locate(self) -> Path:
        """Return its path, once it is there and its hash is verified.

        Raises:
            BenchError: it is missing or damaged; says what to fetch and where to put it.
        """
        self.digest()
        return self.path

    def digest(self) -> str:
        """Return the sha256 of its file, verified.

        Raises:
            BenchError: it is missing or damaged.
        """
        try:
            digest = file_sha256(self.path)
        except OSError as error:
            raise NotFetchedError(self.missing(error.strerror or str(error))) from None
        pin = self.pin
        if pin and digest != pin:
            raise BenchError(
                f"{self.path}: sha256 is {digest}, not {pin}: the file is damaged or another one; "
                f"run `bench models fetch {self.name}`, or delete it and fetch {self.url} again"
            )
        return digest

    def missing(self, reason: str = "No such file or directory") -> str:
        """Return what to tell a user who does not have it."""
        if self.manual:
            return f"{self.name} is missing ({self.path}: {reason}); {self.instructions()}"
        return (
            f"{self.name} is missing ({self.path}: {reason}); run `bench models fetch "
            f"{self.name}`, or fetch {self.url} and put it there, or name another folder in "
            "BENCH_CACHE"
        )

    def instructions(self) -> str:
        """Return how a person gets a manual one."""
        return (
            f"no program can download it: {self.manual} from {self.url} and put it at {self.path}"
        )


def find_published(path: str, catalogue: Sequence[Asset]) -> Asset | None:
    """Return the asset that a path in YAML names, `published:NAME`; None for other paths.

    Known are those of ``catalogue``, and the user's own (`bench models fetch --url`).

    Raises:
        BenchError: there is no asset of this name.
    """
    if not path.startswith(PREFIX):
        return None
    name = path.removeprefix(PREFIX)
    known = {asset.name: asset for asset in (*own_assets(), *catalogue)}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean '{PREFIX}{close[0]}'?" if close else "see `bench models list`"
    raise BenchError(f"'{path}': there is no published file of this name here; {advice}")


def own_assets() -> tuple[Asset, ...]:
    """Return the files that the user fetched under names of their own.

    Raises:
        BenchError: the list of them is damaged, or names a place outside of the cache folder.
    """
    try:
        return tuple(
            Asset(name, pin.url, pin.file, pin.sha256, pin.size, "a file of your own")
            for name, pin in own_pins().items()
        )
    except ValueError as error:
        raise unreadable(error) from None


@runtime_checkable
class NeedsAssets(Protocol):
    """A plugin, with its parameters, that reads published files."""

    def assets(self) -> Sequence[Asset | HubFolder]:
        """Return the files; the host fetches those that are missing before it runs anything."""
        ...
