"""Tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table as RichTable
from rich.text import Text

from bench.printable import one_line
from bench.render.table import Mark, Table, TableCell, Wrap

STYLES = {
    Mark.PLAIN: "",
    Mark.BEST: "bold",
    Mark.GOOD: "bold green",
    Mark.BAD: "bold red",
    Mark.CHANGED: "bold yellow",
    Mark.UNSURE: "yellow",
    Mark.FAINT: "dim",
}
_OVERFLOW: dict[Wrap, dict[str, Any]] = {
    Wrap.FOLD: {"overflow": "fold"},
    Wrap.CUT: {"overflow": "ellipsis"},
    Wrap.NEVER: {"no_wrap": True},
}


def terminal(table: Table, framed: bool = True, expand: bool = False, style: str = "") -> RichTable:
    """The table as rich prints it; no text in it is taken for markup. Notes are left to the caller.

    Args:
        table: what to show.
        framed: draw lines around the cells.
        expand: take the whole width.
        style: of the frame and of the cells that have no mark.
    """
    layout: dict[str, Any] = {} if framed else {"box": None, "pad_edge": False}
    shown = RichTable(
        title=Text(one_line(table.title)) if table.title else None,
        title_justify="left",
        header_style="table.header" if framed else "bold",
        expand=expand,
        style=style,
        show_footer=any(column.footer for column in table.columns),
        **layout,
    )
    for column in table.columns:
        shown.add_column(
            Text(one_line(column.head)),
            Text(one_line(column.footer)),
            justify="right" if column.numeric else "left",
            **_OVERFLOW[column.wrap],
        )
    for row in table.rows:
        shown.add_row(*map(_cell, row))
    return shown


def _cell(cell: TableCell) -> Text:
    note = f" ({cell.note})" if cell.note else ""
    return Text(one_line(cell.text + note), style=STYLES[cell.mark])
