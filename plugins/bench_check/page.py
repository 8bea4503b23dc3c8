"""The findings as one page of text, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bench_check.finding import Finding, Verdict, exit_code

_STYLES = {
    Verdict.GOOD: "green",
    Verdict.NOTE: "yellow",
    Verdict.FAULT: "bold red",
    Verdict.SKIPPED: "dim",
}


def table(title: str, findings: Sequence[Finding]) -> Table:
    """A row a finding."""
    page = Table(title=title, title_justify="left", expand=False)
    for head in ("check", "verdict", "what was seen"):
        page.add_column(head, overflow="fold")
    for item in findings:
        page.add_row(item.check, Text(item.verdict.value, _STYLES[item.verdict]), Text(item.text))
    return page


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    faults = [item.check for item in findings if item.verdict is Verdict.FAULT]
    notes = [item.check for item in findings if item.verdict is Verdict.NOTE]
    text = f"faults: {', '.join(faults)}" if faults else "no fault found"
    return f"{text}; notes: {', '.join(notes)}" if notes else text


def json_form(facts: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, Any]:
    """All findings in plain types, after what is known of the sampler."""
    return {
        **facts,
        "exit_code": exit_code(findings),
        "findings": [
            {
                "check": item.check,
                "verdict": item.verdict.value,
                "text": item.text,
                **({"numbers": dict(item.numbers)} if item.numbers else {}),
            }
            for item in findings
        ],
    }
