"""One table, whatever shows it: the terminal, Markdown, LaTeX or a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """The reason for which a cell stands out."""

    PLAIN = ""
    BEST = "best"
    GOOD = "good"
    BAD = "bad"
    CHANGED = "changed"
    UNSURE = "unsure"
    FAINT = "faint"


class Wrap(StrEnum):
    """Treatment of a cell that is too wide for a terminal."""

    FOLD = "fold"
    """Words move to the next line; a longer word is broken."""
    CUT = "cut"
    """Words move to the next line; a longer word is cut."""
    NEVER = "never"


@dataclass(frozen=True)
class TableCell:
    """One cell.

    Attributes:
        text: its content.
        note: small print below or behind it.
        mark: why it stands out.
    """

    text: str = ""
    note: str = ""
    mark: Mark = Mark.PLAIN


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Attributes:
        head: its heading.
        numeric: right-aligned.
        wrap: what a terminal does to wide cells.
        footer: a total, shown by terminals.
    """

    head: str
    numeric: bool = False
    wrap: Wrap = Wrap.FOLD
    footer: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its title and notes; all texts are plain, and may be a stranger's.

    Attributes:
        title: one line; empty where something above it says the same.
        columns: from left to right; the first names the rows.
        rows: as many cells as columns each.
        notes: what readers have to know.
    """

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table '{self.title}': every row needs {len(self.columns)} cells")


def text_columns(*heads: str, wrap: Wrap = Wrap.FOLD) -> tuple[TableColumn, ...]:
    """Left-aligned columns."""
    return tuple(TableColumn(head, wrap=wrap) for head in heads)


def number_columns(*heads: str, wrap: Wrap = Wrap.CUT) -> tuple[TableColumn, ...]:
    """Right-aligned columns."""
    return tuple(TableColumn(head, numeric=True, wrap=wrap) for head in heads)


def table_rows(rows: Iterable[Iterable[str | TableCell]]) -> tuple[tuple[TableCell, ...], ...]:
    """Rows of cells; texts become plain cells."""
    return tuple(
        tuple(cell if isinstance(cell, TableCell) else TableCell(cell) for cell in row)
        for row in rows
    )
