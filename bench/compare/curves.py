"""What is said of a curve as a whole: area, NFE to reach a target, dominance."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.compare.pairs import Paired
from bench.compare.sides import Side


def curves(
    points: pd.DataFrame,
    paired: Paired,
    sides: tuple[Side, Side],
    targets: Sequence[tuple[str, float]],
    alpha: float,
) -> pd.DataFrame:
    return pd.DataFrame()
