"""What the plugins of a plan read from outside of their packages, and what of it is not here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.core.plugin import Plugin, file_parameters
from bench.files.contents import contents
from bench.files.errors import NotFetchedError
from bench.files.supply import Supply, needs
from bench.registry import Registry
from bench.run.cell import Cell, Outside


def outside(plugin: Plugin) -> Outside:
    """What a plugin reads from outside of its package; a stand-in where it is not fetched yet.

    Raises:
        BenchError: a file is missing that is no published one, or one is damaged.
    """
    try:
        return Outside(dict(contents(plugin)), plugin.fingerprint())
    except NotFetchedError:
        # The plan is made anew once they are there.
        named = {name: getattr(plugin, name) for name in file_parameters(type(plugin))}
        wanted = {name: f"to be fetched: {path}" for name, path in named.items() if path}
        names = [supply.name for supply in needs(plugin) if not supply.present()]
        return Outside(wanted, f"to be fetched: {', '.join(names)}")


def check_unchanged(cell: Cell, registry: Registry) -> None:
    """Refuse a cell whose files are no longer what its plan, and so its key, says.

    Raises:
        BenchError: one changed, or is gone; names the parameter.
    """
    for spec in cell.plugins:
        if spec.paths == "{}":
            continue
        planned, found = json.loads(spec.params), contents(spec.build(registry))
        for name, digest in found.items():
            if digest and digest != planned[name]:
                path = json.loads(spec.paths)[name]
                raise BenchError(
                    f"{spec.name}: {name} '{path}' changed since the run began; run again"
                )


def absent(cells: Sequence[Cell], registry: Registry) -> tuple[Supply, ...]:
    """What ``cells`` need and this machine does not have, each once."""
    specs = dict.fromkeys(spec for cell in cells for spec in cell.plugins)
    wanted = (supply for spec in specs for supply in needs(spec.build(registry)))
    return tuple(supply for supply in dict.fromkeys(wanted) if not supply.present())
