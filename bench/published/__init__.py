"""Published figures, and what a run says of them. Imports no torch."""

from bench.published.figures import PublishedFigure, load_figures
from bench.published.verdicts import FigureComparison, FigureVerdict, compare

__all__ = ["FigureComparison", "FigureVerdict", "PublishedFigure", "compare", "load_figures"]
