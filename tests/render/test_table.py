"""One table in every form, whatever the texts are."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.render.latex import latex_table
from bench.render.markdown import markdown_lines
from bench.render.table import Mark, Table, TableCell, number_columns, table_rows, text_columns
from bench.render.terminal import terminal

TABLE = Table(
    "fd_digits",
    (*text_columns("sampler"), *number_columns("NFE ≤ 10")),
    table_rows([["ddim", TableCell("1.5 ± 0.1", "NFE 9", Mark.BEST)], ["heun", "2"]]),
    ("A note.",),
)


def _printed(table: Table, framed: bool = True) -> str:
    sink = io.StringIO()
    Console(file=sink, width=80).print(terminal(table, framed=framed))
    return sink.getvalue()


def test_markdown() -> None:
    assert list(markdown_lines(TABLE)) == [
        "| sampler | NFE ≤ 10 |",
        "|---|---:|",
        "| ddim | **1.5 ± 0.1** (NFE 9) |",
        "| heun | 2 |",
    ]


def test_latex() -> None:
    text = latex_table(TABLE)
    assert r"\begin{tabular}{lr}" in text
    assert r"ddim & \textbf{1.5 $\pm$ 0.1} \\" in text
    assert r"\caption{fd\_digits}" in text
    assert "A note." in text


def test_terminal() -> None:
    lines = _printed(TABLE, framed=False).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["sampler", "NFE", "≤", "10"],
        ["ddim", "1.5", "±", "0.1", "(NFE", "9)"],
        ["heun", "2"],
    ]
    assert "━" in _printed(TABLE)


def test_no_text_is_obeyed() -> None:
    evil = "[bold]\x1b[31m:smile: | `x` <b>"
    table = Table(evil, text_columns(evil), table_rows([[evil]]))
    printed = _printed(table)
    assert "\x1b" not in printed
    assert "[bold]" in printed
    assert ":smile:" in printed
    head, _, row = markdown_lines(table)
    assert head == row == r"| \[bold\]\\x1b\[31m:smile: \| \`x\` &lt;b&gt; |"


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Table("", text_columns("a", "b"), table_rows([["1"]]))
