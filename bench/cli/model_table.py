"""`bench models list` for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.cli.model_files import Standing, State, pinned, size_of
from bench.files.asset import Asset
from bench.printable import one_line, printable

_ROOMY = 100  # characters that a line needs, for words beside the names

_COLOURS = {State.FETCHED: "green", State.MISSING: "dim", State.DAMAGED: "red"}


def table(standings: Sequence[Standing], width: int) -> Table:
    """The files with state, size and what pins them; on a wide terminal with what they are."""
    result = Table(title="published files", title_justify="left")
    result.add_column("name", overflow="fold", min_width=30)
    result.add_column("state", min_width=7)
    result.add_column("MB", justify="right", min_width=5)
    result.add_column("pinned by", min_width=9)
    roomy = width >= _ROOMY
    if roomy:
        result.add_column("about", overflow="fold")
    for standing in standings:
        size = size_of(standing.supply)
        result.add_row(
            Text(printable(standing.supply.name)),
            Text(_state(standing), style=_COLOURS[standing.state]),
            "" if size is None else f"{size / 1e6:,.1f}",
            _pinned(standing),
            *([Text(one_line(_about(standing)))] if roomy else []),
        )
    return result


def _state(standing: Standing) -> str:
    supply = standing.supply
    by_hand = standing.state is State.MISSING and isinstance(supply, Asset) and supply.manual
    return "by hand" if by_hand else standing.state.value


def _pinned(standing: Standing) -> str:
    return (pinned(standing.supply) or "") if isinstance(standing.supply, Asset) else "commit"


def _about(standing: Standing) -> str:
    if standing.reason:
        return standing.reason
    if isinstance(standing.supply, Asset):
        return standing.supply.about
    return f"a folder of the hub, commit {standing.supply.commit}"
