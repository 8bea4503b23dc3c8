"""The published checkpoints that the models of this package read, by name."""

from __future__ import annotations

from pathlib import Path

from bench.api import Asset, find_published, read_assets
from bench_plugins.checkpoints.score_sde_recipes import PRESETS

ASSETS = read_assets("bench_plugins.checkpoints", "data/assets.json")


def asset_of(path: str) -> tuple[Asset, ...]:
    """The asset that a model's path names (`published:NAME`); none for a plain path.

    Raises:
        BenchError: there is no asset of this name.
    """
    asset = find_published(path, ASSETS)
    return () if asset is None else (asset,)


def local_path(path: str) -> Path:
    """The file that a model's path names, a published one verified.

    Raises:
        BenchError: a published one is not known, missing or damaged.
    """
    for asset in asset_of(path):
        return asset.locate()
    return Path(path)


def preset_of(path: str) -> str:
    """The preset of score_sde that a published checkpoint was trained with; else empty."""
    for asset in asset_of(path):
        return _PRESETS.get(asset.name.removesuffix("-last"), "")
    return ""


_PRESETS = {"score-sde-" + preset.replace("/", "-").replace("_", "-"): preset for preset in PRESETS}
