"""The files of a report beside its page: tables as CSV and LaTeX, methods, and what was there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from bench.core.errors import BenchError
from bench.render import latex
from bench.report.methods import Methods
from bench.report.order import Order
from bench.report.pareto import marked
from bench.report.tables import Best
from bench.results import json_file
from bench.results.frame import SUBJECT

_LIST = ".report.json"
_OWN_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.(?:svg|pdf|png|csv|tex|bib|html)")


@dataclass(frozen=True)
class Tidy:
    """What the CSV files hold.

    Attributes:
        raw: the results.
        means: of `frame.points`.
        orders: each with the title of its subject.
        ranks: of each subject.
        best: the best values.
    """

    raw: pd.DataFrame
    means: pd.DataFrame
    orders: tuple[tuple[str, Order], ...]
    ranks: Sequence[pd.DataFrame]
    best: tuple[Best, ...]


def write_tables(tidy: Tidy, folder: Path) -> tuple[Path, ...]:
    """Write all rows, the means that the figures show, measured orders, ranks and best values."""
    named = [
        {"subject": subject, **asdict(order), "half_width": order.half_width}
        for subject, order in tidy.orders
    ]
    orders = [
        "subject",
        "metric",
        "curve",
        "slope",
        "std_error",
        "half_width",
        "first",
        "last",
        "points",
    ]
    shown = marked(tidy.means, [*SUBJECT, "metric", "protocol"])
    shown = shown.drop(columns=["protocol", "stochastic"])
    columns = ["subject", "metric", "budget", "curve", "rank", "low", "high", "samplers"]
    ranks = pd.concat(tidy.ranks) if tidy.ranks else pd.DataFrame(columns=columns)
    best = [
        {
            "subject": one.subject.title,
            "metric": one.metric,
            "protocol": one.letter,
            "value": one.value,
            "half_width": one.half_width,
            "nfe": one.nfe,
            "wall_per_sample_s": one.wall_per_sample_s,
            "curve": one.curve,
        }
        for one in tidy.best
    ]
    return (
        _write(tidy.raw, folder / "table.csv"),
        _write(shown, folder / "points.csv"),
        _write(pd.DataFrame(named, columns=orders), folder / "orders.csv"),
        _write(ranks, folder / "ranks.csv"),
        _write(pd.DataFrame(best), folder / "best.csv"),
    )


def write_overall(
    stands: Sequence[pd.DataFrame], profiles: pd.DataFrame, folder: Path
) -> tuple[Path, ...]:
    """Write the samplers' standing over all models and their profiles, where there are any."""
    if not stands:
        return ()
    return (
        _write(pd.concat(stands, ignore_index=True), folder / "overall.csv"),
        _write(profiles, folder / "profiles.csv"),
    )


def write_latex(tables: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Write the tables of each section as LaTeX, by its anchor."""
    return tuple(
        latex.write([text], folder / f"tables-{anchor.removeprefix('subject-')}.tex")
        for anchor, text in tables.items()
    )


def write_methods(methods: Methods | None, folder: Path) -> tuple[Path, ...]:
    """Write the paragraph on methods and its references."""
    if methods is None:
        return ()
    text, entries = folder / "methods.tex", folder / "references.bib"
    text.write_text(methods.paragraph + "\n", encoding="utf-8")
    entries.write_text(methods.bibtex, encoding="utf-8")
    return text, entries


def forget_stale(folder: Path, written: Iterable[Path]) -> None:
    """Delete the files that the former report in this folder wrote and this one did not."""
    try:
        listed = json_file.read(folder / _LIST, "report")["files"]
    except (OSError, BenchError):  # files that stay too long do no harm
        return
    for name in set(listed) - {path.name for path in written}:
        if _OWN_NAME.fullmatch(name):  # whatever the list says: plain names in this folder alone
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def remember(folder: Path, written: Iterable[Path]) -> None:
    """List what the report consists of, for the next one."""
    names = sorted({path.name for path in written})
    (folder / _LIST).write_bytes(json_file.pack({"files": names}, "report"))


def _write(frame: pd.DataFrame, path: Path) -> Path:
    # pyarrow writes 100,000 rows in the time pandas needs for some thousands
    csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path
