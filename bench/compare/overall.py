"""Summaries of a comparison over all its curves and budgets."""

from __future__ import annotations

import pandas as pd

from bench.compare.pairs import Paired


def overall(points: pd.DataFrame, paired: Paired, alpha: float) -> pd.DataFrame:
    return pd.DataFrame()
