"""The results in a few lines of plain text, for the terminal."""

from __future__ import annotations

import pandas as pd

from bench.render.labels import shorten_label
from bench.report.data.best import BestValue, best_values
from bench.results.frame import points, prepare_frame, with_params
from bench.results.schema import Status

MAX_LINES = 20

_HEADS = ("model", "process", "metric", "best", "NFE", "ms/sample", "sampler")
_WIDTHS = (44, 16, 26, 20, 6, 10, 40)
_GRAVITY = {
    Status.FAILED: 0,
    Status.TIMEOUT: 1,
    Status.DIVERGED: 2,
    Status.OK: 3,
    Status.UNSUPPORTED: 4,
}
_NUMERIC = frozenset({"best", "NFE", "ms/sample"})


def summary_lines(frame: pd.DataFrame) -> list[str]:
    """List the best value of each model, process and metric, and the number of cells by status.

    The lines hold names of plugins: print them without interpreting markup.

    Args:
        frame: results as `bench.load_results` returns them.
    """
    table = prepare_frame(frame)
    best = best_values(points(table))
    lines = _align([_cells(entry) for entry in best[:MAX_LINES]]) if best else []
    if len(best) > MAX_LINES:
        lines.append(f"... and {len(best) - MAX_LINES} more: see the report")
    if not best:
        lines.append("No cell has a usable value.")
    return [*lines, _counts(table)]


def cells_by_status(table: pd.DataFrame) -> dict[str, int]:
    """Count the cells of each status, the worst of their rows.

    A cell of which some metrics are unsupported is ok: it gave the numbers that it has.
    """
    worst = table.assign(gravity=table["status"].map(_GRAVITY).fillna(0)).sort_values(
        "gravity", kind="stable"
    )
    counts = worst.drop_duplicates("key")["status"].value_counts()
    return {str(status): int(count) for status, count in counts.items()}


def _cells(best: BestValue) -> tuple[str, ...]:
    subject = best.subject
    cells = (
        subject.model_and_task,
        with_params(subject.process, subject.process_params),
        best.label,
        best.text,
        best.nfe_text,
        best.wall_text,
        best.curve,
    )
    return tuple(
        shorten_label(cell, width).strip() for cell, width in zip(cells, _WIDTHS, strict=True)
    )


def _align(rows: list[tuple[str, ...]]) -> list[str]:
    table = [_HEADS, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEADS))]
    return [
        "  ".join(
            cell.rjust(width) if head in _NUMERIC else cell.ljust(width)
            for head, cell, width in zip(_HEADS, row, widths, strict=True)
        ).rstrip()
        for row in table
    ]


def _counts(table: pd.DataFrame) -> str:
    counts = cells_by_status(table)
    each = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"{sum(counts.values())} cells" + (f": {each}" if each else "")
