"""A comparison in the terminal: the verdict first, then what it rests on."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pandas as pd
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bench.compare import words
from bench.compare.result import Comparison, ExitCode
from bench.compare.verdict import Verdict
from bench.printable import printable

MOST = 60
"""Points that are listed; the JSON has all."""

_STYLE = {
    Verdict.WORSE.value: "bold red",
    Verdict.BETTER.value: "bold green",
    Verdict.CHANGED.value: "bold yellow",
    Verdict.INCONCLUSIVE.value: "yellow",
    Verdict.SAME.value: "dim",
}
_HEADLINE = {
    ExitCode.FINE: "bold green",
    ExitCode.REGRESSION: "bold red",
    ExitCode.NOT_COMPARABLE: "bold yellow",
}


def print_text(comparison: Comparison, console: Console) -> None:
    """Print the comparison; names of plugins are never taken for markup."""
    for part in _parts(comparison):
        console.print(part)


def text(comparison: Comparison, width: int = 160) -> str:
    """The same as plain text."""
    sink = io.StringIO()
    print_text(comparison, Console(file=sink, width=width, highlight=False))
    return sink.getvalue()


def listed(points: pd.DataFrame) -> pd.DataFrame:
    """The points that are worth a line: not those that stayed the same; regressions first."""
    rank = {verdict.value: i for i, verdict in enumerate(words.ORDER)}
    told = points[points["verdict"].ne(Verdict.SAME)]
    order = told.assign(rank=told["verdict"].map(rank), free=~told["gated"])
    return order.sort_values(["rank", "free"], kind="stable")


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    yield _text(words.headline(comparison), style=_HEADLINE[comparison.exit_code])
    yield _text(f"BASE {comparison.base}, HEAD {comparison.head}")
    told = listed(comparison.points)
    if len(told):
        yield _points(told.head(MOST))
    if len(told) > MOST:
        yield Text(f"... and {len(told) - MOST} more: see --format json")
    if len(comparison.curves):
        yield from _curves(comparison.curves)
    for title, lines in (
        ("Not comparable:", [words.refusal(item) for item in comparison.refused]),
        ("Lost in HEAD:", [words.lost(item) for item in comparison.lost]),
        ("Only in HEAD:", _new(comparison.new)),
    ):
        if lines:
            yield Text(title, style="bold")
            yield from (_text(f"  {line}") for line in lines[:MOST])
            if len(lines) > MOST:
                yield Text(f"  ... and {len(lines) - MOST} more")
    for line in words.overall(comparison):
        yield _text(line)
    for line in words.method(comparison):
        yield _text(line, style="dim")


def _text(text: str, style: str = "") -> Text:
    """A stranger's text, never taken for markup, or for more than letters."""
    return Text(printable(text), style=style)


def _points(told: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("verdict", "subject", "curve", "metric"):
        table.add_column(name, overflow="fold")
    for name in ("NFE", "BASE", "HEAD", "change", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("rests on", overflow="fold")
    for row in words.records(told):
        verdict = str(row["verdict"])
        mark = "" if row["gated"] else " (not gated)"
        basis = str(row["basis"])
        table.add_row(
            Text(verdict + mark, style=_STYLE[verdict]),
            *(
                _text(cell)
                for cell in (
                    words.subject(row),
                    words.curve(row),
                    words.metric(row),
                    words.where(row),
                    words.value(row, "base"),
                    words.value(row, "head"),
                    words.change(row),
                    words.p(row),
                    words.advice(row) or f"{row['units']:.0f} {basis}",
                )
            ),
        )
    return table


def _curves(curves: pd.DataFrame) -> Iterator[RenderableType]:
    told = curves[curves["dominates"].ne("same")]
    if told.empty:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("curve as a whole", "metric", "dominates"):
        table.add_column(name, overflow="fold")
    for name in ("area (log metric over log NFE)", "target", "NFE to target: BASE", "HEAD"):
        table.add_column(name, justify="right")
    for row in words.records(told.head(MOST)):
        place = f"{words.subject(row)}, {words.curve(row)}"
        table.add_row(
            *(
                _text(cell)
                for cell in (
                    place,
                    words.metric(row),
                    str(row["dominates"]),
                    words.area(row),
                    words.value(row, "target"),
                    words.reached(row, "base"),
                    words.reached(row, "head"),
                )
            )
        )
    yield table


def _new(new: pd.DataFrame) -> list[str]:
    return [words.new(row) for row in words.records(new)]
