"""The published files that the metrics of this package read, by name."""

from __future__ import annotations

from bench.api import Asset, find_published, read_assets

ASSETS = read_assets("bench_plugins.fidelity", "data/assets.json")

(INCEPTION_WEIGHTS,) = (asset for asset in ASSETS if asset.name == "inception-v3-weights")


def asset_of(against: str) -> tuple[Asset, ...]:
    """The asset that `against` names (`published:NAME`); none for a plain path.

    Raises:
        BenchError: there is no asset of this name.
    """
    asset = find_published(against, ASSETS)
    return () if asset is None else (asset,)
