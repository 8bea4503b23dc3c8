"""Sampling times in the format of pytest-benchmark's JSON, for dashboards that read it.

A benchmark is a point of a curve, a round is a seed, and a time is that of one sample's way
through the sampler, in seconds.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from bench.compare import formatting
from bench.compare.rows import clean_rows, curve_labels
from bench.core.errors import BenchError
from bench.results.frame import CURVE
from bench.results.protocol import MACHINE

_POINT = [*CURVE, "curve", "budget", "tolerance"]


def timings(frame: pd.DataFrame) -> str:
    """The JSON of all cells of a run that have a time.

    Raises:
        BenchError: none has.
    """
    rows = clean_rows(frame)
    cells = rows[rows["sample_wall_s"] > 0].drop_duplicates("key")
    if cells.empty:
        raise BenchError("no cell of the run has a sampling time; run it first")
    cells = cells.assign(curve=curve_labels(cells), nfe_head=cells["nfe"])
    cells = cells.assign(seconds=cells["sample_wall_s"] / cells["samples"])
    now = datetime.now(UTC).isoformat()
    first = cells.iloc[0]
    machine = {name: _plain(first[name]) for name in MACHINE}
    content = {
        # Where one result was made stands for all: a run has one machine.
        "machine_info": {"node": "", "machine": "", "system": "", "cpu": {}} | machine,
        "commit_info": {"id": "unversioned", "time": None, "dirty": False, "branch": "(unknown)"},
        "benchmarks": [
            _benchmark(part) for _, part in cells.groupby(_POINT, sort=False, dropna=False)
        ],
        "datetime": now,
        "version": "5.1.0",
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _benchmark(part: pd.DataFrame) -> dict[str, Any]:
    row = formatting.records(part.head(1))[0]
    name = f"{formatting.curve(row)} at {formatting.where(row)} NFE"
    fullname = f"{formatting.subject(row)}: {name}"
    return {
        "group": formatting.subject(row),
        "name": name,
        "fullname": fullname,
        "params": None,
        "param": None,
        "extra_info": {"nfe": _plain(row["nfe"]), "samples": _plain(row["samples"])},
        "options": {"timer": "perf_counter", "warmup": True},
        "stats": stats(part["seconds"].to_numpy(dtype=float).tolist()),
    }


def stats(data: Sequence[float]) -> dict[str, Any]:
    """The figures that pytest-benchmark keeps of a benchmark's rounds."""
    q1, median, q3 = (float(q) for q in np.quantile(data, [0.25, 0.5, 0.75]))
    mean, spread = statistics.fmean(data), statistics.stdev(data) if len(data) > 1 else 0.0
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    far = sum(abs(x - mean) > spread for x in data)
    tukey = sum(not low <= x <= high for x in data)
    return {
        "min": min(data),
        "max": max(data),
        "mean": mean,
        "stddev": spread,
        "rounds": len(data),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": tukey,
        "stddev_outliers": far,
        "outliers": f"{far};{tukey}",
        "ld15iqr": min(x for x in data if x >= low),
        "hd15iqr": max(x for x in data if x <= high),
        "ops": 1 / mean,
        "total": sum(data),
        "data": list(data),
        "iterations": 1,
    }


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if value is None or value != value else value
