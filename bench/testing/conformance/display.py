"""Findings as tables for people and as plain data for scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.printable import one_line
from bench.registry import Broken
from bench.testing.conformance.finding import Conformity, Finding

_STYLE = {Conformity.PASSED: "green", Conformity.FAILED: "bold red", Conformity.SKIPPED: "dim"}


def tables(findings: Sequence[Finding], broken: Sequence[Broken]) -> Iterator[Table]:
    """One table per plugin, and one of what could not be loaded."""
    if broken:
        table = Table(title="not loaded", title_justify="left", style="red")
        for heading in ("entry point", "distribution", "reason"):
            table.add_column(heading, overflow="fold")
        for item in broken:
            table.add_row(
                *(Text(one_line(t)) for t in (item.entry_point, item.distribution, item.reason))
            )
        yield table
    for (kind, plugin), group in groupby(findings, key=lambda f: (f.kind, f.plugin)):
        title = f"{kind.replace('_', ' ')} {plugin}"
        table = Table(title=Text(one_line(title)), title_justify="left", expand=True)
        table.add_column("check", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column("what was seen", overflow="fold", ratio=1)
        for finding in group:
            verdict = Text(finding.verdict.value, style=_STYLE[finding.verdict])
            table.add_row(Text(finding.check), verdict, _story(finding))
        yield table


def _story(finding: Finding) -> Text:
    if finding.verdict is not Conformity.FAILED:
        return Text(one_line(finding.seen), style="dim")
    text = Text()
    for label, words in (
        ("expected", finding.expected),
        ("seen", finding.seen),
        ("remedy", finding.remedy),
    ):
        if words:
            text.append(f"{label:9}", style="bold").append(f"{one_line(words)}\n")
    text.rstrip()
    return text


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
