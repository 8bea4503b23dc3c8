"""The run beside published figures."""

from __future__ import annotations

import pandas as pd

from bench.published.figures import load_figures
from bench.published.text import Block, outcome
from bench.published.verdicts import compare

_KNOWN = r"\"(?:published|hub):"
"""What stands in the parameters of models that figures were published of."""


def published(results: pd.DataFrame) -> tuple[Block, ...]:
    """The published tables that have a figure which the run measured, held against it."""
    params = pd.Series(results["model_params"].dropna().unique(), dtype=object)
    if not params.str.contains(_KNOWN).any():  # spares reading the figures
        return ()
    return tuple(block for block in outcome(compare(load_figures(), results)) if block.lines)
