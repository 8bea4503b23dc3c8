"""Tables for papers: LaTeX with booktabs, whatever the names are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.report.tables import Line, Table

HEAD = "% needs \\usepackage{booktabs}\n"

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "–": "--",
    "−": "$-$",
    "…": r"\ldots{}",
}


def escaped(text: str) -> str:
    """The text as LaTeX shows it; nothing in it is a command."""
    kept = (c if c.isprintable() else " " for c in text)
    return "".join(_SPECIAL.get(c, c) for c in kept)


def booktabs(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], notes: str) -> str:
    """A table float; cells are LaTeX already, all else is text."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(title)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        " & ".join(map(escaped, heads)) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    lines += [rf"\par\smallskip\footnotesize {escaped(notes)}"] if notes else []
    return "\n".join([*lines, r"\end{table}", ""])


def values(subject: str, table: Table) -> str:
    """A table of values by sampler and budget, the best of each column in bold."""
    heads = ["sampler", *table.budgets]
    rows = (_row(line) for line in table.lines)
    return booktabs(f"{subject}: {table.title}", heads, rows, " ".join(table.remarks))


def _row(line: Line) -> list[str]:
    cells = [
        rf"\textbf{{{escaped(value.text)}}}" if value.best else escaped(value.text)
        for value in line.values
    ]
    return [escaped(line.curve), *cells]


def write(tables: Iterable[str], path: Path) -> Path:
    """One file of tables."""
    path.write_text(HEAD + "\n".join(tables), encoding="utf-8")
    return path
