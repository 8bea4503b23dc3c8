"""A comparison as Markdown, for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.compare import words
from bench.compare.result import Comparison, ExitCode
from bench.compare.text import MOST, listed
from bench.compare.verdict import Verdict
from bench.printable import code
from bench.printable import markdown as escaped

_MARK = {ExitCode.FINE: "✅", ExitCode.REGRESSION: "❌", ExitCode.NOT_COMPARABLE: "⚠️"}


def markdown(comparison: Comparison) -> str:
    """The comparison; names of plugins are never taken for markup."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"## {_MARK[comparison.exit_code]} {escaped(words.headline(comparison))}"
    yield ""
    yield f"BASE `{code(comparison.base)}`, HEAD `{code(comparison.head)}`"
    told = listed(comparison.points)
    if len(told):
        yield ""
        yield from _points(words.records(told.head(MOST)))
        if len(told) > MOST:
            yield f"\n... and {len(told) - MOST} more."
    curves = comparison.curves
    if len(curves):
        changed = words.records(curves[curves["dominates"].ne("same")].head(MOST))
        if changed:
            yield ""
            yield from _curves(changed)
    yield from _list("Not comparable", [words.refusal(item) for item in comparison.refused])
    yield from _list("Lost in HEAD", [words.lost(item) for item in comparison.lost])
    yield from _list("Only in HEAD", [words.new(row) for row in words.records(comparison.new)])
    for line in (*words.overall(comparison), *words.method(comparison)):
        yield ""
        yield escaped(line)


def _points(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "| verdict | subject | curve | metric | NFE | BASE | HEAD | change | p | rests on |"
    yield "|---|---|---|---|---:|---:|---:|---:|---:|---|"
    for row in rows:
        verdict = str(row["verdict"])
        bold = f"**{verdict}**" if verdict == Verdict.WORSE else verdict
        gated = "" if row["gated"] else " (not gated)"
        basis = words.advice(row) or f"{row['units']:.0f} {row['basis']}"
        cells = (
            words.subject(row),
            words.curve(row),
            words.metric(row),
            words.where(row),
            words.value(row, "base"),
            words.value(row, "head"),
            words.change(row),
            words.p(row),
            basis,
        )
        yield f"| {bold}{gated} | " + " | ".join(map(escaped, cells)) + " |"


def _curves(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "| curve as a whole | metric | dominates | area | target | NFE: BASE | NFE: HEAD |"
    yield "|---|---|---|---:|---:|---:|---:|"
    for row in rows:
        cells = (
            f"{words.subject(row)}, {words.curve(row)}",
            words.metric(row),
            str(row["dominates"]),
            words.area(row),
            words.value(row, "target"),
            words.reached(row, "base"),
            words.reached(row, "head"),
        )
        yield "| " + " | ".join(map(escaped, cells)) + " |"


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"\n**{title}**\n"
        yield from (f"* {escaped(line)}" for line in lines[:MOST])
        if len(lines) > MOST:
            yield f"* ... and {len(lines) - MOST} more"
