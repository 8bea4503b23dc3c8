"""A comparison in the terminal: the verdict first, then what it rests on."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from bench.compare import summary
from bench.compare.result import Comparison, ExitCode
from bench.compare.tables import MOST, changed_points, curves_table, points_table
from bench.printable import printable
from bench.render.table import Mark
from bench.render.terminal import STYLES, terminal

_HEADLINE = {
    ExitCode.FINE: STYLES[Mark.GOOD],
    ExitCode.REGRESSION: STYLES[Mark.BAD],
    ExitCode.NOT_COMPARABLE: STYLES[Mark.CHANGED],
}
_CURVES = ("area (log metric over log NFE)", "target", "NFE to target: BASE", "HEAD")


def print_text(comparison: Comparison, console: Console) -> None:
    """Print the comparison; names of plugins are never taken for markup."""
    for part in _parts(comparison):
        console.print(part)


def text(comparison: Comparison, width: int = 160) -> str:
    """The same as plain text."""
    sink = io.StringIO()
    print_text(comparison, Console(file=sink, width=width, highlight=False))
    return sink.getvalue()


def _parts(comparison: Comparison) -> Iterator[RenderableType]:
    yield _text(summary.headline(comparison), style=_HEADLINE[comparison.exit_code])
    yield _text(f"BASE {comparison.base}, HEAD {comparison.head}")
    changed = changed_points(comparison.points)
    if len(changed):
        yield terminal(points_table(changed), framed=False)
    if len(changed) > MOST:
        yield Text(f"... and {len(changed) - MOST} more: see --format json")
    curves = curves_table(comparison.curves, _CURVES)
    if curves is not None:
        yield terminal(curves, framed=False)
    for title, lines in summary.remarks(comparison):
        yield Text(f"{title}:", style="bold")
        yield from (_text(f"  {line}") for line in lines[:MOST])
        if len(lines) > MOST:
            yield Text(f"  ... and {len(lines) - MOST} more")
    yield from map(_text, summary.overall(comparison))
    yield from (_text(line, style="dim") for line in summary.method(comparison))


def _text(text: str, style: str = "") -> Text:
    """A stranger's text, never taken for markup, or for more than letters."""
    return Text(printable(text), style=style)
