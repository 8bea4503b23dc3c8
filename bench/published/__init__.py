"""Published figures, and what a run says of them. Imports no torch."""

from bench.published.figures import Figure, load_figures
from bench.published.verdicts import Comparison, Verdict, compare

__all__ = ["Comparison", "Figure", "Verdict", "compare", "load_figures"]
