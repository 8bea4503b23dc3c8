"""`bench published`: published figures, and what a run says of them. Imports are lazy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.options import Format, Json, print_json
from bench.core.errors import BenchError
from bench.extend import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.published.figures import PublishedFigure
    from bench.published.text import Block

_EPILOG = """
    bench run cifar10-edm
    bench published cifar10-edm --results results/cifar10-edm

Verdicts: `reproduced` (chance and rounding explain the difference), `off by` (they do not),
`protocol differs` (names what; such a number is never counted as reproduced), `not run`.

Exit codes: 0 something is reproduced and nothing is off, or the figures were listed; 1 something
comparable is off by more than the tolerance; 2 no figure could be compared, or bad input.
"""


Suite = Annotated[
    str | None, typer.Argument(help="Only figures that this suite measures, such as cifar10-edm.")
]
Results = Annotated[
    Path | None,
    typer.Option(help="Folder of one run, such as results/cifar10-edm: compare with it."),
]
OneTable = Annotated[str | None, typer.Option(help="Only the figures of this table.")]
Figures = Annotated[
    Path | None, typer.Option(help="A file of figures of your own (docs/published.md).")
]
Sigmas = Annotated[float, typer.Option(min=0.0, help="Standard deviations that count as chance.")]
TextOrMarkdown = Literal[Format.TEXT, Format.MARKDOWN]
Printed = Annotated[TextOrMarkdown, typer.Option("--format", help="text or markdown.")]


def show_published(
    suite: Suite = None,
    results: Results = None,
    table: OneTable = None,
    figures: Figures = None,
    sigmas: Sigmas = 3.0,
    printed: Printed = Format.TEXT,
    json: Json = False,
) -> None:
    """List published figures (FID and more), or hold a run against them."""
    from bench.published.figures import load_figures, of_suite, of_table
    from bench.published.records import figure_record
    from bench.published.text import listing

    chosen = load_figures(figures)
    if suite is not None:
        chosen = of_suite(chosen, suite)
    if table is not None:
        chosen = of_table(chosen, table)
    if results is not None:
        _compare(chosen, results, sigmas, printed, json)
    elif json:
        print_json({"figures": [figure_record(f) for f in chosen]})
    else:
        _print(listing(chosen), printed)


def _compare(
    figures: Sequence[PublishedFigure],
    results: Path,
    sigmas: float,
    printed: TextOrMarkdown,
    json: bool,
) -> None:
    from bench.published.records import comparison_record
    from bench.published.text import counts, outcome
    from bench.published.verdicts import FigureVerdict, compare
    from bench.results.store import Store

    found = compare(figures, Store(results).load(), sigmas)
    if json:
        records = [comparison_record(item) for item in found]
        print_json({"results": str(results), "comparisons": records})
    else:
        _print(outcome(found), printed)
        print(counts(found))
    if any(item.verdict is FigureVerdict.OFF for item in found):
        raise typer.Exit(1)
    if not any(item.verdict is FigureVerdict.REPRODUCED for item in found):
        raise BenchError(
            f"{results}: no figure was measured under its protocol, so nothing could be compared; "
            "the tables say what differs and what was not run"
        )


def _print(blocks: Sequence[Block], printed: TextOrMarkdown) -> None:
    from bench.published.text import markdown, print_blocks

    if printed is Format.MARKDOWN:
        print(markdown(blocks))
        return
    from rich.console import Console

    print_blocks(blocks, Console(highlight=False))


COMMAND = Command("published", show_published, _EPILOG, rank=60)
