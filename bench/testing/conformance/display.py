"""Findings as tables for people and as plain data for scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table as RichTable

from bench.registry import Broken
from bench.render.table import (
    Mark,
    Table,
    TableCell,
    TableColumn,
    Wrap,
    table_rows,
    text_columns,
)
from bench.render.terminal import terminal
from bench.testing.conformance.finding import Conformity, Finding

_MARK = {Conformity.PASSED: Mark.GOOD, Conformity.FAILED: Mark.BAD, Conformity.SKIPPED: Mark.FAINT}


def tables(findings: Sequence[Finding], broken: Sequence[Broken]) -> Iterator[RichTable]:
    """One table per plugin, and one of what could not be loaded."""
    if broken:
        heads = text_columns("entry point", "distribution", "reason")
        rows = table_rows((b.entry_point, b.distribution, b.reason) for b in broken)
        yield terminal(Table("not loaded", heads, rows), style="red")
    heads = (
        TableColumn("check", wrap=Wrap.NEVER),
        TableColumn("verdict", wrap=Wrap.NEVER),
        TableColumn("what was seen"),
    )
    for (kind, plugin), group in groupby(findings, key=lambda f: (f.kind, f.plugin)):
        rows = table_rows(row for finding in group for row in _rows(finding))
        title = f"{kind.replace('_', ' ')} {plugin}"
        yield terminal(Table(title, heads, rows), expand=True)


def _rows(finding: Finding) -> Iterator[tuple[str | TableCell, ...]]:
    """One row, or three of a failure: expected, seen, remedy."""
    verdict = TableCell(finding.verdict.value, mark=_MARK[finding.verdict])
    if finding.verdict is not Conformity.FAILED:
        yield finding.check, verdict, TableCell(finding.seen, mark=Mark.FAINT)
        return
    start: tuple[str | TableCell, ...] = (finding.check, verdict)
    for label in ("expected", "seen", "remedy"):
        if text := getattr(finding, label):
            yield *start, f"{label:9}{text}"
            start = ("", "")


def summary(findings: Sequence[Finding], broken: Sequence[Broken]) -> dict[str, Any]:
    """All findings as JSON."""
    return {
        "conforms": conforms(findings, broken),
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "broken": [dataclasses.asdict(item) for item in broken],
    }


def conforms(findings: Sequence[Finding], broken: Sequence[Broken]) -> bool:
    """True if something passed, and nothing failed."""
    found = {finding.verdict for finding in findings}
    return not broken and Conformity.PASSED in found and Conformity.FAILED not in found
