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
    for field in TIMING:
        other = both[field].ne(both[f"{field}_head"]) & ~(
            both[field].isna() & both[f"{field}_head"].isna()
        )
        differs = differs.where(~other | differs.ne(""), field)
    refused = [
        Refusal(
            str(suite), str(model), TIME, str(field), *_values(part, str(field)), _REMEDY, len(part)
        )
        for (suite, model, field), part in both.assign(field=differs)[differs.ne("")].groupby(
            ["suite", "model", "field"], sort=False
        )
    ]
    same = both[differs.eq("")]
    groups = same.groupby([*CURVE, "sampler", "curve"], sort=False, dropna=False)
    return pd.DataFrame([_point(key, part) for key, part in groups]), refused


def _values(part: pd.DataFrame, field: str) -> tuple[str, str]:
    return str(part[field].iloc[0]), str(part[f"{field}_head"].iloc[0])


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
