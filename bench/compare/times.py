"""Sampling times of the same cells, as ratios, where both ran on the same hardware."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from bench.compare.gates import TIME
from bench.compare.pairs import codes
from bench.compare.refusal import Refusal
from bench.results.column import Use
from bench.results.frame import CURVE
from bench.results.protocol import TIMING
from bench.results.schema import columns

_CELL = columns(Use.SUBJECT, Use.CURVE, Use.POINT, Use.REPLICATE)
_REMEDY = "run both on the same machine, with the same workers and threads"


def compare_times(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Refusal]]:
    """The time per network evaluation of each curve, over its cells; and what must not be compared.

    A point of the metric `time` is a curve: geometric means over its cells, and the standard error
    of their ratio from its scatter from cell to cell.
    """
    known = rows[rows["s_per_evaluation"] > 0].drop_duplicates(["head", "place", "key"])
    known = known.assign(cell=codes(known, _CELL))
    both = known[~known["head"]].merge(
        known[known["head"]], on="cell", suffixes=("", "_head"), validate="many_to_many"
    )
    differs = pd.Series("", index=both.index)
    for column in TIMING:
        base, head = both[column], both[f"{column}_head"]
        other = base.ne(head) & ~(base.isna() & head.isna())
        differs = differs.where(~other | differs.ne(""), column)
    apart = both.assign(column=differs)[differs.ne("")]
    groups = apart.groupby(["suite", "model", "column"], sort=False)
    refused = [_refusal(str(s), str(m), str(c), part) for (s, m, c), part in groups]
    same = both[differs.eq("")]
    groups = same.groupby([*CURVE, "sampler", "curve"], sort=False, dropna=False)
    return pd.DataFrame([_point(key, part) for key, part in groups]), refused


def _refusal(suite: str, model: str, column: str, part: pd.DataFrame) -> Refusal:
    base, head = (str(part[name].iloc[0]) for name in (column, f"{column}_head"))
    return Refusal(suite, model, TIME, column, base, head, _REMEDY, len(part))


def _point(key: tuple[object, ...], part: pd.DataFrame) -> dict[str, object]:
    before = np.log(part["s_per_evaluation"].to_numpy())
    ratio = np.log(part["s_per_evaluation_head"].to_numpy()) - before
    n = len(ratio)
    base, head = math.exp(before.mean()), math.exp(before.mean() + ratio.mean())
    error = head * float(ratio.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return {
        **dict(zip([*CURVE, "sampler", "curve"], key, strict=True)),
        "metric": TIME,
        "metric_params": "{}",
        "unit": "s/evaluation",
        "base": base,
        "head": head,
        "std_error": error,
        "freedom": float(max(n - 1, 1)),
        "basis": "cells",
        "units": float(n),
        "identical": False,
        "ranked": True,
        "larger": False,
    }
