"""A column of the results, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

import pyarrow as pa


class Use(Flag):
    """What a column is for: what is compared, grouped, shown and documented follows from it."""

    SUBJECT = auto()
    CURVE = auto()
    POINT = auto()
    REPLICATE = auto()
    NUMBER = auto()
    PARAMETERS = auto()
    LABEL = auto()
    FILTER = auto()
    MEANING = auto()
    VALUE = auto()
    OUTCOME = auto()
    COST = auto()
    PROTOCOL = auto()
    QUALITY = auto()
    TIMING = auto()
    MACHINE = auto()
    ROUNDED = auto()
    ORIGIN = auto()

    def __str__(self) -> str:
        return ", ".join(str(use.name).lower() for use in self)


MEANINGS = {
    Use.SUBJECT: "what all curves of a figure have in common",
    Use.CURVE: "what, with the subject, makes a curve",
    Use.POINT: "what makes a point of a curve",
    Use.REPLICATE: "what tells the replicates of a point apart",
    Use.NUMBER: "which number of the cell it is",
    Use.PARAMETERS: "parameters of a plugin, with digests in the place of files",
    Use.LABEL: "a label for people, with digests in the place of files",
    Use.FILTER: "`--only` can name it (`budget` as `nfe`)",
    Use.MEANING: "what the metric declares of its number",
    Use.VALUE: "the number and its uncertainty",
    Use.OUTCOME: "what became of the cell, or of the number",
    Use.COST: "what was measured of the cost",
    Use.PROTOCOL: "how the number came to be; the report lists it",
    Use.QUALITY: "protocol on which numbers must agree to be compared",
    Use.TIMING: "protocol on which times must agree to be compared",
    Use.MACHINE: "the machine and its software",
    Use.ROUNDED: "four digits of it count: the rest is round-off",
    Use.ORIGIN: "where the row belongs; nothing is compared by it",
}


@dataclass(frozen=True)
class Column:
    """One column of the results.

    Attributes:
        name: in the table.
        type: in the table.
        unit: empty where it has none.
        use: what it is for.
        meaning: one line of documentation.
    """

    name: str
    type: pa.DataType
    unit: str
    use: Use
    meaning: str


@dataclass(frozen=True)
class ColumnGroup:
    """Columns that belong together in the documentation."""

    title: str
    columns: tuple[Column, ...]


def text(name: str, use: Use, meaning: str) -> Column:
    """Return a column of text."""
    return Column(name, pa.string(), "", use, meaning)


def count(name: str, unit: str, use: Use, meaning: str) -> Column:
    """Return a column of whole numbers."""
    return Column(name, pa.int64(), unit, use, meaning)


def real(name: str, unit: str, use: Use, meaning: str) -> Column:
    """Return a column of real numbers."""
    return Column(name, pa.float64(), unit, use, meaning)


def flag(name: str, use: Use, meaning: str) -> Column:
    """Return a column of true and false."""
    return Column(name, pa.bool_(), "", use, meaning)


def plugin(name: str, use: Use, meaning: str) -> tuple[Column, Column]:
    """Return the columns of a plugin: its name and its parameters."""
    params = "its parameters that differ from the defaults, as JSON"
    return (
        text(name, use | Use.FILTER, meaning),
        text(f"{name}_params", use | Use.PARAMETERS, params),
    )
