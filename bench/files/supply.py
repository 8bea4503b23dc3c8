"""What has to be on this machine before anything runs: published files and folders of the hub."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.files.asset import Asset, NeedsAssets
from bench.files.fetch import fetch
from bench.files.hub import HubFolder
from bench.files.meter import Meter, Silent

Supply = Asset | HubFolder


def needs(plugin: object) -> tuple[Supply, ...]:
    """What a plugin, with its parameters, reads of published files."""
    return tuple(plugin.assets()) if isinstance(plugin, NeedsAssets) else ()


def obtain(supply: Supply, meter: Meter) -> None:
    """Fetches what is missing or damaged of it.

    Raises:
        BenchError: it cannot be had.
    """
    if isinstance(supply, HubFolder):
        supply.fetch(quiet=isinstance(meter, Silent))
    else:
        fetch(supply, meter)


def provide(absent: Sequence[Supply], meter: Meter, offline: bool) -> None:
    """Has all of ``absent`` on this machine.

    Raises:
        BenchError: one of them cannot be had, or may not be under ``offline``.
    """
    if offline and absent:
        told = "; ".join(supply.missing() for supply in absent)
        raise BenchError(f"offline: {told}")
    for supply in absent:
        obtain(supply, meter)
