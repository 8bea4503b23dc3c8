"""A column of the results, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import pyarrow as pa


class Use(Enum):
    """What a column is for: what is compared, grouped, shown and documented follows from it."""

    SUBJECT = "what all curves of a figure have in common"
    CURVE = "what, with the subject, makes a curve"
    POINT = "what makes a point of a curve"
    REPLICATE = "what tells the replicates of a point apart"
    NUMBER = "which number of the cell it is"
    PARAMETERS = "parameters of a plugin, with digests in the place of files"
    LABEL = "a label for people, with digests in the place of files"
    FILTER = "`--only` can name it (`budget` as `nfe`)"
    MEANING = "what the metric declares of its number"
    VALUE = "the number and its uncertainty"
    OUTCOME = "what became of the cell, or of the number"
    COST = "what was measured of the cost"
    PROTOCOL = "how the number came to be; the report lists it"
    QUALITY = "protocol on which numbers must agree to be compared"
    TIMING = "protocol on which times must agree to be compared"
    MACHINE = "the machine and its software"
    ROUNDED = "four digits of it count: the rest is round-off"
    ORIGIN = "where the row belongs; nothing is compared by it"

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Column:
    """One column of the results.

    Attributes:
        name: in the table.
        type: in the table.
        unit: empty where it has none.
        meaning: one line of documentation.
        uses: what it is for.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class ColumnGroup:
    """Columns that belong together in the documentation."""

    title: str
    columns: tuple[Column, ...]


def group(title: str, use: Use, *columns: Column) -> ColumnGroup:
    """Return a group; ``use`` is that of the columns that name none."""
    return ColumnGroup(title, tuple(replace(c, uses=c.uses or (use,)) for c in columns))


def text(name: str, meaning: str, *uses: Use) -> Column:
    """Return a column of text."""
    return Column(name, pa.string(), "", meaning, uses)


def count(name: str, unit: str, meaning: str, *uses: Use) -> Column:
    """Return a column of whole numbers."""
    return Column(name, pa.int64(), unit, meaning, uses)


def real(name: str, unit: str, meaning: str, *uses: Use) -> Column:
    """Return a column of real numbers."""
    return Column(name, pa.float64(), unit, meaning, uses)


def flag(name: str, meaning: str, *uses: Use) -> Column:
    """Return a column of true and false."""
    return Column(name, pa.bool_(), "", meaning, uses)


def plugin(name: str, meaning: str, use: Use) -> tuple[Column, Column]:
    """Return the columns of a plugin: its name and its parameters."""
    params = "its parameters that differ from the defaults, as JSON"
    return text(name, meaning, use, Use.FILTER), text(f"{name}_params", params, use, Use.PARAMETERS)
