"""The host's own code that decides numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bench.identity.cache import CodeCache
from bench.identity.walk import Identity, identity_of
from bench.project import __version__

ROOTS = ("bench.run.pool", "bench.api")
"""All that a worker runs, down to the rows that it sends, and that plugins build on."""

NO_NUMBER = frozenset(
    {
        *("bench.run.paths", "bench.run.shown", "bench.results.path_file", "bench.run.log"),
        *("bench.files.fetch", "bench.files.http", "bench.files.meter", "bench.files.partial"),
    }
)
"""Modules among these that decide none: pictures of a process, what workers print, and downloads,
whose sha256 is in the key whoever fetched them."""


@lru_cache(maxsize=1)
def host_identity() -> Identity:
    """The modules of the host that a number may rest on, followed from `ROOTS` by their imports.

    What the registry imports by name are plugins, each with an identity of its own. Of the
    libraries below it torch decides numbers, and its version is a column.
    """
    found = identity_of(ROOTS, CodeCache(NO_NUMBER))
    return replace(found, libraries=(), absent=(), doubts=())


@lru_cache(maxsize=1)
def host_modules() -> frozenset[str]:
    """Their names, with those that decide no number."""
    return frozenset(unit for unit, _, _ in host_identity().files) | NO_NUMBER


@lru_cache(maxsize=1)
def core_hash() -> str:
    """The version of the host and the hash of its code that decides numbers."""
    return f"{__version__}+{host_identity().code[:16]}"
