"""Which published files the cells of a plan need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.core.metric import Metric
from bench.core.plugin import Plugin
from bench.core.target import Model
from bench.files.errors import NotFetchedError
from bench.files.supply import Supply, needs
from bench.identity.named import UnknownCodeError
from bench.registry import Registry
from bench.run.cell import Cell


class Outside(NamedTuple):
    """What a plugin reads from outside of its package.

    Attributes:
        content: its fingerprint.
        doubt: why that may not be all; "" where it is.
    """

    content: str = ""
    doubt: str = ""


def fingerprint(plugin: Plugin) -> Outside:
    """What a plugin reads from outside of its package; a stand-in where it is not fetched yet.

    Raises:
        BenchError: a file is missing that is no published one, or one is damaged.
    """
    if not isinstance(plugin, (Model, Metric)):
        return Outside()
    try:
        return Outside(plugin.fingerprint())
    except NotFetchedError:
        names = [supply.name for supply in needs(plugin) if not supply.present()]
        return Outside(f"to be fetched: {', '.join(names)}")
    except UnknownCodeError as error:
        return Outside("unknown", str(error))


def absent(cells: Sequence[Cell], registry: Registry) -> tuple[Supply, ...]:
    """What ``cells`` need and this machine does not have, each once."""
    specs = dict.fromkeys(spec for cell in cells for spec in (cell.model, *cell.metrics))
    wanted = (supply for spec in specs for supply in needs(spec.build(registry)))
    return tuple(supply for supply in dict.fromkeys(wanted) if not supply.present())
