"""A comparison with all that was found, as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pandas as pd

from bench.compare.formatting import records
from bench.compare.result import Comparison
from bench.compare.summary import headline
from bench.compare.verdict import Verdict


def as_json(comparison: Comparison) -> str:
    """One object; what is not known is null."""
    points = comparison.points
    counts = points["verdict"].value_counts()
    content = {
        "base": comparison.base,
        "head": comparison.head,
        "alpha": comparison.alpha,
        "gates": [gate.text for gate in comparison.gates],
        "exit_code": int(comparison.exit_code),
        "headline": headline(comparison),
        "compared": len(points),
        "lost_points": sum(item.points for item in comparison.missing),
        "unmet": list(comparison.unmet),
        "verdicts": {verdict.value: int(counts.get(verdict.value, 0)) for verdict in Verdict},
        "bit_identical": int(points["identical"].sum()) if len(points) else 0,
        "points": _records(points.drop(columns="point", errors="ignore")),
        "curves": _records(comparison.curves),
        "overall": _records(comparison.overall),
        "refused": [dataclasses.asdict(item) for item in comparison.refused],
        "lost": [dataclasses.asdict(item) for item in comparison.missing],
        "new": _records(comparison.new),
        "files": [dict(file) for file in comparison.files],
    }
    return json.dumps(content, indent=1, allow_nan=False)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in records(frame)]


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
