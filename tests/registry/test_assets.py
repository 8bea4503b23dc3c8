"""Published files that plugins name."""

from __future__ import annotations

from collections.abc import Callable

from bench.registry import Registry

Install = Callable[..., None]
Load = Callable[[], Registry]

SOURCE = """
    from bench.api import Asset, hookimpl

    @hookimpl
    def bench_assets():
        return [{items}]
"""
NET = 'Asset("net", "https://example.org/net", "models/net", "")'


def test_a_plugin_may_have_nothing_but_files(install: Install, load: Load) -> None:
    install("files", SOURCE.format(items=NET))
    registry = load()
    assert [asset.name for asset in registry.assets] == ["net"]
    assert registry.broken == ()


def test_a_name_belongs_to_one_plugin(install: Install, load: Load) -> None:
    install("one", SOURCE.format(items=NET), distribution="first")
    install("two", SOURCE.format(items=NET.replace("/net", "/other")), distribution="second")
    registry = load()
    assert [asset.file for asset in registry.assets] == ["models/net"]
    (broken,) = registry.broken
    assert broken.distribution == "second"
    assert "'net' is another plugin's too; rename it" in broken.reason


def test_what_is_no_asset_is_told(install: Install, load: Load) -> None:
    install("files", SOURCE.format(items=f"{NET}, 3"))
    registry = load()
    assert [asset.name for asset in registry.assets] == ["net"]
    (broken,) = registry.broken
    assert "is no bench.api.Asset" in broken.reason


def test_a_file_outside_of_the_cache_is_refused(install: Install, load: Load) -> None:
    install("files", SOURCE.format(items=NET.replace("models/net", "../net")))
    registry = load()
    assert registry.assets == ()
    (broken,) = registry.broken
    assert "file must lie in the cache folder" in broken.reason
