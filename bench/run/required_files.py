"""The files that plugins read from outside of their packages, and those that are missing here."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.plugin import Plugin, file_parameters
from bench.files.contents import contents
from bench.files.errors import NotFetchedError
from bench.files.supply import Supply, needs
from bench.identity.named import UnknownCodeError
from bench.registry import Registry
from bench.run.cell import Cell
from bench.run.spec import Outside


def read_outside(plugin: Plugin) -> Outside:
    """Read what a plugin uses from outside of its package; a stand-in where it is not fetched yet.

    Raises:
        BenchError: a file is missing that is no published one, or one is damaged.
    """
    try:
        files = dict(contents(plugin))
        return Outside(files, *_fingerprint(plugin))
    except NotFetchedError:
        # The plan is made anew once they are there.
        named = {name: getattr(plugin, name) for name in file_parameters(type(plugin))}
        wanted = {name: f"to be fetched: {path}" for name, path in named.items() if path}
        names = [supply.name for supply in needs(plugin) if not supply.present()]
        return Outside(wanted, f"to be fetched: {', '.join(names)}")


def _fingerprint(plugin: Plugin) -> tuple[str, str]:
    """The fingerprint of a plugin, and why it may not cover all that the plugin reads."""
    try:
        return plugin.fingerprint(), ""
    except UnknownCodeError as error:
        return "unknown", str(error)


def missing_files(cells: Sequence[Cell], registry: Registry) -> tuple[Supply, ...]:
    """The published files that ``cells`` need and this machine does not have, each once."""
    specs = dict.fromkeys(spec for cell in cells for spec in cell.plugins)
    wanted = (supply for spec in specs for supply in needs(spec.build(registry)))
    return tuple(supply for supply in dict.fromkeys(wanted) if not supply.present())
