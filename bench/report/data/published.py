"""The run beside published figures."""

from __future__ import annotations

import pandas as pd

from bench.published.figures import load_figures
from bench.published.text import Block, outcome
from bench.published.verdicts import compare
from bench.results.places import FILES

_KNOWN = r"\"(?:published|hub):"
"""Matches the parameters, or files, of models that figures were published of."""


def published_blocks(results: pd.DataFrame) -> tuple[Block, ...]:
    """Compare the run with the published tables that have a figure which it measured."""
    texts = [results[name] for name in ("model_params", FILES) if name in results]
    texts_seen = pd.Series(pd.concat(texts).dropna().unique(), dtype=object)
    if not texts_seen.str.contains(_KNOWN).any():  # spares reading the figures
        return ()
    return tuple(block for block in outcome(compare(load_figures(), results)) if block.table.rows)
