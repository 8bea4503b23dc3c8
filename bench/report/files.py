"""The tables of a report as CSV."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from bench.report.order import Order


def write_tables(
    raw: pd.DataFrame, means: pd.DataFrame, orders: tuple[tuple[str, Order], ...], folder: Path
) -> tuple[Path, ...]:
    """Write all rows, the means that the figures show, and the measured orders.

    Args:
        raw: the results.
        means: of `frame.points`.
        orders: each with the title of its subject.
        folder: where the files go.
    """
    named = [{"subject": subject, **asdict(order)} for subject, order in orders]
    columns = ["subject", "curve", "slope", "std_error", "first", "last", "points"]
    shown = means.drop(columns=["protocol", "stochastic"])
    return (
        _write(raw, folder / "table.csv"),
        _write(shown, folder / "points.csv"),
        _write(pd.DataFrame(named, columns=columns), folder / "orders.csv"),
    )


def _write(frame: pd.DataFrame, path: Path) -> Path:
    # pyarrow writes 100,000 rows in the time pandas needs for some thousands
    csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path
