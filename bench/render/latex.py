"""Tables for papers: LaTeX with booktabs."""

from __future__ import annotations

from bench.render.table import Mark, Table, TableCell

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


def escape(text: str) -> str:
    """The text as LaTeX shows it; nothing in it is a command."""
    kept = (c if c.isprintable() else " " for c in text)
    return "".join(_SPECIAL.get(c, c) for c in kept)


def latex_table(table: Table) -> str:
    """A table float, the best cells in bold, without the cells' small print."""
    align = "".join("r" if column.numeric else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.title)}}}",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        " & ".join(escape(column.head) for column in table.columns) + r" \\",
        r"\midrule",
        *(" & ".join(map(_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if table.notes:
        lines.append(rf"\par\smallskip\footnotesize {escape(' '.join(table.notes))}")
    return "\n".join([*lines, r"\end{table}", ""])


def _cell(cell: TableCell) -> str:
    text = escape(cell.text)
    return rf"\textbf{{{text}}}" if cell.mark is Mark.BEST else text
