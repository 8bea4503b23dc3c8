"""Verdicts as a table, as Markdown, as a page of its own, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bench.render.markdown import markdown_lines
from bench.render.table import Mark, Table, TableCell, table_rows, text_columns
from bench_claims.claim import Claim
from bench_claims.verdict import Finding, Outcome, Verdict

MARKS = {
    Outcome.HOLDS: Mark.GOOD,
    Outcome.FAILS: Mark.BAD,
    Outcome.DEPENDS: Mark.CHANGED,
    Outcome.UNDECIDED: Mark.UNSURE,
    Outcome.NOT_RUN: Mark.FAINT,
}
NOTES = (
    "All intervals of a claim hold at once with 95 % (Student's t over seeds, Bonferroni).",
    "A claim depends where some of its numbers say that it holds, and others that it does not.",
)
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:.85rem}td,th{border-bottom:1px solid #d3d7dc;
padding:.25rem .6rem;text-align:left;vertical-align:top}.holds{color:#14794a}.fails{color:#8f1644}
.depends{color:#8a6210}.undecided,.not-run{color:#6b7078}svg{max-width:100%;height:auto}
.source{color:#6b7078}"""


@dataclass(frozen=True)
class Judged:
    """A claim and its verdict."""

    claim: Claim
    verdict: Verdict


def overview(judged: Sequence[Judged]) -> Table:
    """One row for each claim."""
    rows = (
        (
            item.claim.name,
            TableCell(item.verdict.outcome.value, mark=MARKS[item.verdict.outcome]),
            item.claim.statement,
            item.verdict.sentence,
        )
        for item in judged
    )
    columns = text_columns("claim", "verdict", "what is said", "what was found")
    return Table("Claims", columns, table_rows(rows), NOTES)


def numbers(verdict: Verdict) -> Table:
    """One row for each finding."""
    heads = ("number", "estimate", "interval", "the claim asks for", "verdict", "n", "test")
    columns = text_columns(*heads, "effect seen with 90 %")
    rows = (
        (
            f"{finding.label} ({finding.unit})" if finding.unit else finding.label,
            _short(finding.estimate),
            f"{_short(finding.low)} to {_short(finding.high)}",
            finding.wanted,
            TableCell(finding.outcome.value, mark=MARKS[finding.outcome]),
            str(finding.n),
            finding.test,
            _short(finding.detectable),
        )
        for finding in verdict.findings
    )
    return Table("", columns, table_rows(rows))


def markdown(judged: Sequence[Judged], folder: str) -> str:
    """The page in Markdown, with figures NAME.svg in ``folder`` beside it."""
    return "\n".join(_markdown(judged, folder)) + "\n"


def _markdown(judged: Sequence[Judged], folder: str) -> Iterator[str]:
    yield "| claim | verdict | what is said |"
    yield "|---|---|---|"
    for item in judged:
        anchor = item.claim.title.lower().replace(" ", "-").replace(",", "")
        outcome = item.verdict.outcome.value
        yield f"| [{item.claim.name}](#{anchor}) | **{outcome}** | {item.claim.statement} |"
    for item in judged:
        claim, verdict = item.claim, item.verdict
        yield from ("", f"## {claim.title}", "")
        yield from (f"> {claim.statement}", ">", f"> {claim.source}", "")
        yield from (f"**{verdict.outcome.value.capitalize()}.** {verdict.sentence}", "")
        yield f"![{claim.title}]({folder}/{claim.name}.svg)"
        yield ""
        yield from markdown_lines(numbers(verdict))
    yield from ("", *NOTES)


def html(judged: Sequence[Judged], figures: Mapping[str, str]) -> str:
    """A self-contained page.

    Args:
        judged: in the order of the page.
        figures: SVG markup by the claim's name.
    """
    body = "\n".join(_section(item, figures[item.claim.name]) for item in judged)
    notes = "".join(f"<p>{escape(note)}</p>" for note in NOTES)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Claims</title>'
        f"<style>{_STYLE}</style></head><body><h1>Claims</h1>{_html_table(overview(judged))}"
        f"{notes}{body}</body></html>\n"
    )


def _section(item: Judged, figure: str) -> str:
    claim, verdict = item.claim, item.verdict
    drawing = figure[figure.index("<svg") :]
    outcome = verdict.outcome.value
    return (
        f'<h2 id="{claim.name}">{escape(claim.title)}</h2><blockquote>{escape(claim.statement)} '
        f'<span class="source">{escape(claim.source)}</span></blockquote>'
        f'<p><b class="{outcome.replace(" ", "-")}">{outcome}.</b> {escape(verdict.sentence)}</p>'
        f"{drawing}{_html_table(numbers(verdict))}"
    )


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(column.head)}</th>" for column in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell.text)}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def json_form(judged: Sequence[Judged]) -> dict[str, Any]:
    """The verdicts with all that they rest on; what is not finite is null."""
    return {
        "claims": [
            {
                "name": item.claim.name,
                "statement": item.claim.statement,
                "source": item.claim.source,
                "verdict": item.verdict.outcome.value,
                "sentence": item.verdict.sentence,
                "findings": [_finding(finding) for finding in item.verdict.findings],
            }
            for item in judged
        ]
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "label": finding.label,
        "verdict": finding.outcome.value,
        "estimate": _finite(finding.estimate),
        "interval": [_finite(finding.low), _finite(finding.high)],
        "region": [_finite(end) for end in finding.region],
        "unit": finding.unit,
        "n": finding.n,
        "test": finding.test,
        "detectable": _finite(finding.detectable),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _short(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "–"
