"""Files that must be on this machine before anything runs: published ones, folders of the hub."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.files.asset import Asset, NeedsAssets
from bench.files.fetch import fetch
from bench.files.hub import HubFolder
from bench.files.meter import Meter, Silent

Supply = Asset | HubFolder


def needs(plugin: object) -> tuple[Supply, ...]:
    """Return the published files that a plugin, with its parameters, reads."""
    return tuple(plugin.assets()) if isinstance(plugin, NeedsAssets) else ()


def obtain(supply: Supply, meter: Meter) -> None:
    """Fetch what is missing or damaged of it.

    Raises:
        BenchError: it cannot be had.
    """
    if isinstance(supply, HubFolder):
        supply.fetch(quiet=isinstance(meter, Silent))
    else:
        fetch(supply, meter)


def provide(absent: Sequence[Supply], meter: Meter, offline: bool) -> None:
    """Fetch all of ``absent``.

    Raises:
        BenchError: one of them cannot be had, or may not be under ``offline``.
    """
    if offline and absent:
        missing = "; ".join(supply.missing() for supply in absent)
        raise BenchError(f"offline: {missing}")
    for supply in absent:
        obtain(supply, meter)
