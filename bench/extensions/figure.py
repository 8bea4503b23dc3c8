"""What a figure of the report is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A kind of figure."""

    name: str
