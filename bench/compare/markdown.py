"""A comparison as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

from bench.compare import summary
from bench.compare.result import Comparison, ExitCode
from bench.compare.tables import MOST, changed_points, curves_table, points_table
from bench.printable import code
from bench.printable import markdown as escape
from bench.render.markdown import markdown_lines

_MARK = {ExitCode.FINE: "✅", ExitCode.REGRESSION: "❌", ExitCode.NOT_COMPARABLE: "⚠️"}
_CURVES = ("area", "target", "NFE: BASE", "NFE: HEAD")


def markdown(comparison: Comparison) -> str:
    """The comparison; names of plugins are never taken for markup."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"## {_MARK[comparison.exit_code]} {escape(summary.headline(comparison))}"
    yield ""
    yield f"BASE `{code(comparison.base)}`, HEAD `{code(comparison.head)}`"
    changed = changed_points(comparison.points)
    if len(changed):
        yield ""
        yield from markdown_lines(points_table(changed))
    if len(changed) > MOST:
        yield f"\n... and {len(changed) - MOST} more."
    curves = curves_table(comparison.curves, _CURVES)
    if curves is not None:
        yield ""
        yield from markdown_lines(curves)
    for title, lines in summary.remarks(comparison):
        yield f"\n**{title}**\n"
        yield from (f"* {escape(line)}" for line in lines[:MOST])
        if len(lines) > MOST:
            yield f"* ... and {len(lines) - MOST} more"
    for line in (*summary.overall(comparison), *summary.method(comparison)):
        yield ""
        yield escape(line)
