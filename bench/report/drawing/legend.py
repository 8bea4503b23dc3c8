"""Legends of curves, in a strip of their own at the right of the axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.extensions.figure import CurveStyle


@dataclass(frozen=True)
class Legend:
    """Curves under the headings of their kinds.

    Attributes:
        entries: styles by number, each with its text.
    """

    entries: Sequence[tuple[CurveStyle, str]]

    @property
    def width(self) -> float:
        """Room that it takes, in inches."""
        longest = max((len(text) for _, text in self.entries), default=0)
        return 0.75 + 0.066 * max(longest, 19)

    @property
    def height(self) -> float:
        """Height that it takes, in inches."""
        headings = {style.heading for style, _ in self.entries}
        return 0.166 * (len(self.entries) + len(headings)) + 0.3

    def add_to(self, figure: Figure) -> Iterator[tuple[Artist, CurveStyle]]:
        """Draw it, keep the axes out of its strip, and yield each artist with its owner."""
        handles: list[Line2D] = []
        labels: list[str] = []
        owners: list[CurveStyle | None] = []
        for heading, members in groupby(self.entries, key=lambda entry: entry[0].heading):
            styles, texts = zip(*members, strict=True)
            handles += [Line2D([], [], linestyle="none"), *map(_handle, styles)]
            labels += [heading, *texts]
            owners += [None, *styles]
        left = 1.0 - self.width / figure.get_size_inches()[0]
        engine: Any = figure.get_layout_engine()
        engine.set(rect=(0.0, 0.0, left, 1.0))
        box = figure.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(left, 1.0),
            handlelength=3.4,
            labelspacing=0.45,
        )
        box.set_in_layout(False)  # laying it out costs more than all the curves
        for owner, text, handle in zip(owners, box.get_texts(), box.legend_handles, strict=True):
            if owner is None:
                text.set_fontweight("bold")
            elif handle is not None:
                yield text, owner
                yield handle, owner


def _handle(style: CurveStyle) -> Line2D:
    return Line2D([], [], color=style.color, marker=style.marker, linestyle=style.dashes)
