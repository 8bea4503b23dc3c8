"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from bench.printable import markdown as escape
from bench.render.table import Mark, Table, TableCell

_BOLD = (Mark.BEST, Mark.BAD)


def markdown_lines(table: Table) -> Iterator[str]:
    """Head and rows; title and notes are left to the caller."""
    yield _line(escape(column.head) for column in table.columns)
    yield "|" + "".join("---:|" if column.numeric else "---|" for column in table.columns)
    for row in table.rows:
        yield _line(map(_cell, row))


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: TableCell) -> str:
    text = escape(cell.text)
    return (f"**{text}**" if cell.mark in _BOLD else text) + (
        f" ({escape(cell.note)})" if cell.note else ""
    )
