"""The published files as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.cli.commands.models.files import FileState, FileStatus, pinned_by, size_of
from bench.files.asset import Asset
from bench.printable import one_line, printable

_WIDE = 100  # characters that a line needs, for words beside the names

_COLOURS = {FileState.FETCHED: "green", FileState.MISSING: "dim", FileState.DAMAGED: "red"}


def table(statuses: Sequence[FileStatus], width: int) -> Table:
    """The files with state, size and what pins them; on a wide terminal with what they are."""
    result = Table(title="published files", title_justify="left")
    result.add_column("name", overflow="fold", min_width=30)
    result.add_column("state", min_width=7)
    result.add_column("MB", justify="right", min_width=5)
    result.add_column("pinned by", min_width=9)
    wide = width >= _WIDE
    if wide:
        result.add_column("about", overflow="fold")
    for status in statuses:
        size = size_of(status.supply)
        result.add_row(
            Text(printable(status.supply.name)),
            Text(_state(status), style=_COLOURS[status.state]),
            "" if size is None else f"{size / 1e6:,.1f}",
            _pinned_by(status),
            *([Text(one_line(_about(status)))] if wide else []),
        )
    return result


def _state(status: FileStatus) -> str:
    supply = status.supply
    by_hand = status.state is FileState.MISSING and isinstance(supply, Asset) and supply.manual
    return "by hand" if by_hand else status.state.value


def _pinned_by(status: FileStatus) -> str:
    return (pinned_by(status.supply) or "") if isinstance(status.supply, Asset) else "commit"


def _about(status: FileStatus) -> str:
    if status.reason:
        return status.reason
    if isinstance(status.supply, Asset):
        return status.supply.about
    return f"a folder of the hub, commit {status.supply.commit}"
