"""Figures of the report: what they are drawn from, and what on. Loads no pandas, no matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from bench.extensions.data import RunData, SubjectData

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing


class CurvePart(Enum):
    """Part of a curve that an artist shows."""

    LINE = "line"
    MARK = "mark"
    STROKE = "stroke"
    KEY = "key"


@dataclass(frozen=True)
class CurveStyle:
    """Label and style of a curve, the same in every figure of a report.

    Attributes:
        number: of the curve, in the order of legends.
        label: for legends, on one line.
        heading: of its kind of samplers in legends.
        color: of the line, as matplotlib takes it.
        marker: likewise.
        dashes: likewise.
    """

    number: int
    label: str
    heading: str
    color: str
    marker: str
    dashes: tuple[float, tuple[float, ...]]


class Canvas(Protocol):
    """Draws one view."""

    @property
    def styles(self) -> Mapping[str, CurveStyle]:
        """Styles of all curves of the report."""
        ...

    def open(
        self,
        width: float,
        height: float,
        curves: Iterable[str] = (),
        suffixes: Mapping[str, str] | None = None,
    ) -> Drawing:
        """Begin an empty figure with a constrained layout.

        Args:
            width: in inches, without the legend.
            height: in inches; more where the legend needs it.
            curves: that the legend names, in a strip at the right; none: no legend.
            suffixes: text after the label of a curve in the legend.
        """
        ...

    def curve(self, axes: Axes, curve: str, points: pd.DataFrame, column: str) -> None:
        """Draw the values of one curve over a column: line, markers and strokes of intervals."""
        ...

    def tag(
        self, artist: Any, curve: str, part: CurvePart, points: pd.DataFrame | None = None
    ) -> None:
        """Say whose an artist is, so that the page's filters hide and show it.

        Args:
            artist: of matplotlib.
            curve: its owner.
            part: what of the curve it shows.
            points: of its markers, in their order.
        """
        ...


@dataclass(frozen=True)
class View:
    """One drawing of a figure, selected and not yet drawn.

    Attributes:
        draw: draws on a canvas and returns the caption; None: there is nothing to draw. It may be
            called in another process: take a `functools.partial` of a function of a module.
        title: in the place of the figure's.
        suffix: of the names of its files, where a figure has several views.
        section: heading of the page's section; of a `RunFigure` alone.
    """

    draw: Callable[[Canvas], str | None]
    title: str = ""
    suffix: str = ""
    section: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A kind of figure.

    Attributes:
        name: of its files: lower-case letters, digits and hyphens.
        title: of its drawings.
        rank: importance; where not all figures are drawn, those of the least rank are.
        place: order within a section; None: the rank.
    """

    name: str
    title: str
    rank: int
    place: int | None = None

    @property
    def order(self) -> tuple[int, str]:
        """Sorts the figures of a section."""
        return (self.rank if self.place is None else self.place, self.name)


@dataclass(frozen=True, kw_only=True)
class SubjectFigure(Figure):
    """A figure of each subject.

    Attributes:
        views: selects what is drawn; nothing where the figure does not fit the subject.
    """

    views: Callable[[SubjectData], Iterable[View]]


@dataclass(frozen=True, kw_only=True)
class RunFigure(Figure):
    """A figure across subjects.

    Attributes:
        views: selects what is drawn; nothing where the figure does not fit the run.
    """

    views: Callable[[RunData], Iterable[View]]
