"""The published files that `bench models` shows: by name, with their state on this machine."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from bench.core.errors import BenchError
from bench.files.asset import PREFIX, Asset, own_assets
from bench.files.cache import cache_folder
from bench.files.hub import HUB, HubFolder
from bench.files.pins import pin_of
from bench.files.supply import Supply
from bench.registry import Registry


class FileState(StrEnum):
    """The state of a published file on this machine."""

    FETCHED = "fetched"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class FileStatus:
    """A published file or folder on this machine.

    Attributes:
        supply: what it is.
        state: whether it is there, and sound.
        reason: what is wrong with it.
    """

    supply: Supply
    state: FileState
    reason: str = ""

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        place = {"name": self.supply.name, "state": self.state.value, "path": str(self.supply.path)}
        if isinstance(self.supply, HubFolder):
            commit = self.supply.commit if self.state is not FileState.MISSING else None
            return {**place, "kind": "hub", "commit": commit, "size": size_of(self.supply)}
        asset = self.supply
        return {
            **place,
            "kind": "asset",
            "url": asset.url,
            "size": size_of(asset),
            "sha256": asset.pin or None,
            "pinned": pinned_by(asset),
            "manual": asset.manual or None,
            "about": asset.about,
            "licence": asset.licence or None,
        }


def pinned_by(asset: Asset) -> str | None:
    """By what its hash is known: `published`, or `first use`; None: not yet."""
    if pin_of(asset.name):
        return "first use"
    return "published" if asset.sha256 else None


def size_of(supply: Supply) -> int | None:
    """Bytes: as they lie here, else as published."""
    if isinstance(supply, HubFolder):
        return sum(file.stat().st_size for file in supply.files()) or None
    return supply.path.stat().st_size if supply.present() else supply.size


def known_files(registry: Registry) -> tuple[Supply, ...]:
    """All published files that plugins name, the user's own, and the hub folders in the cache."""
    own = own_assets()
    named = {asset.name for asset in own}
    theirs = sorted(
        (asset for asset in registry.assets if asset.name not in named), key=lambda a: a.name
    )
    return (*own, *theirs, *_hub_folders())


def _hub_folders() -> list[HubFolder]:
    places = sorted((cache_folder() / "hub").glob("models--*--*"))
    repos = [place.name.removeprefix("models--").replace("--", "/", 1) for place in places]
    return [
        HubFolder(repo, ref.relative_to(place / "refs").as_posix())
        for place, repo in zip(places, repos, strict=True)
        for ref in sorted((place / "refs").rglob("*"))
        if ref.is_file()
    ]


def select(names: Sequence[str], registry: Registry) -> tuple[Supply, ...]:
    """The files of these names, which may have wildcards.

    Raises:
        BenchError: there is none of a name.
    """
    known = known_files(registry)
    return tuple(dict.fromkeys(supply for name in names for supply in _matching(name, known)))


def search(parts: Sequence[str], registry: Registry) -> tuple[Supply, ...]:
    """The files whose names have one of ``parts`` in them; without any: all.

    Raises:
        BenchError: there is none.
    """
    known = known_files(registry)
    patterns = [part if "*" in part else f"*{part.removeprefix(PREFIX)}*" for part in parts]
    found = tuple(s for s in known if not parts or any(fnmatchcase(s.name, p) for p in patterns))
    if parts and not found:
        raise BenchError(f"no published file has '{' '.join(parts)}' in its name")
    return found


def downloadable(registry: Registry) -> tuple[Supply, ...]:
    """All that a program can fetch, and what people put there by hand."""
    return tuple(
        supply
        for supply in known_files(registry)
        if supply.present() or isinstance(supply, HubFolder) or not supply.manual
    )


def expected_files(registry: Registry) -> tuple[Supply, ...]:
    """All that was fetched once: what is there, and what was pinned."""
    return tuple(s for s in known_files(registry) if s.present() or pin_of(s.name))


def _matching(name: str, known: Sequence[Supply]) -> list[Supply]:
    bare = name.removeprefix(PREFIX)
    found = [supply for supply in known if fnmatchcase(supply.name, bare)]
    hub = HubFolder.parse(name) if name.startswith(HUB) and not found else None
    if found or hub:
        return found or ([hub] if hub else [])
    close = difflib.get_close_matches(bare, [supply.name for supply in known], n=1)
    advice = f"did you mean '{close[0]}'?" if close else "see `bench models list`"
    raise BenchError(f"'{name}': there is no published file of this name; {advice}")


def quick_status(supply: Supply) -> FileStatus:
    """The status by size alone."""
    if not supply.present():
        return FileStatus(supply, FileState.MISSING)
    if isinstance(supply, Asset):
        pin = pin_of(supply.name)
        wanted = pin.size if pin else supply.size
        size = size_of(supply)
        if wanted not in (None, size):
            return FileStatus(supply, FileState.DAMAGED, f"{size:,} bytes, not {wanted:,}")
    return FileStatus(supply, FileState.FETCHED)


def status_by_content(supply: Supply) -> FileStatus:
    """The status by content, which is read and hashed."""
    if not supply.present():
        return FileStatus(supply, FileState.MISSING, supply.missing())
    try:
        supply.locate()
    except BenchError as error:
        return FileStatus(supply, FileState.DAMAGED, str(error))
    return FileStatus(supply, FileState.FETCHED)


def own_asset(url: str, sha256: str, name: str, registry: Registry) -> Asset:
    """The asset that a user names: a file at ``url`` under ``name`` (else the file's own).

    Raises:
        BenchError: the name is taken, or none can be made.
    """
    last = PurePosixPath(urlsplit(url).path)
    wanted = name or last.stem
    if any(asset.name == wanted for asset in registry.assets):
        raise BenchError(f"--name {wanted}: is a published file's; choose another")
    for known in own_assets():
        if known.name == wanted and known.url != url:
            raise BenchError(f"--name {wanted}: is that of {known.url}; choose another")
    try:
        return Asset(wanted, url, f"own/{wanted}{last.suffix}", sha256.lower())
    except ValueError as error:
        raise BenchError(f"{error}; give --name, and --sha256 as 64 hexadecimal digits") from None
