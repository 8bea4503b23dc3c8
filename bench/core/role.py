"""The meaning of a metric's number: declared, since names are free."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The meaning of a number; its name has none.

    Attributes:
        QUALITY: says how good the samples are; less is better, or more (``larger_is_better``).
        ERROR: a distance to the exact solution, which falls with the solver's order; less is
            better.
        EXACT: the value that the number it belongs to should have.
        REFERENCE: the error of what the number it belongs to is measured against; values of that
            number that are no larger mean nothing.
        DIAGNOSTIC: no value of it is better than another.
    """

    QUALITY = "quality"
    ERROR = "error"
    EXACT = "exact"
    REFERENCE = "reference"
    DIAGNOSTIC = "diagnostic"
