"""`bench published`: published figures, and what a run says of them. Imports are lazy."""

from __future__ import annotations

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.published.figures import PublishedFigure
    from bench.published.text import Block

EPILOG = """
    bench run cifar10-edm
    bench published cifar10-edm --results results/cifar10-edm

Verdicts: `reproduced` (chance and rounding explain the difference), `off by` (they do not),
`protocol differs` (names what; such a number is never counted as reproduced), `not run`.

Exit codes: 0 something is reproduced and nothing is off, or the figures were listed; 1 something
comparable is off by more than the tolerance; 2 no figure could be compared, or bad input.
"""


class Format(StrEnum):
    """How the tables are written."""

    TEXT = "text"
    MARKDOWN = "markdown"


def published_command(
    suite: Annotated[
        str | None,
        typer.Argument(help="Only figures that this suite measures, such as cifar10-edm."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder of one run, such as results/cifar10-edm: compare with it."),
    ] = None,
    table: Annotated[str | None, typer.Option(help="Only the figures of this table.")] = None,
    figures: Annotated[
        Path | None, typer.Option(help="A file of figures of your own (docs/published.md).")
    ] = None,
    sigmas: Annotated[
        float, typer.Option(min=0.0, help="Standard deviations that count as chance.")
    ] = 3.0,
    format_: Annotated[Format, typer.Option("--format", help="text or markdown.")] = Format.TEXT,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object to standard output.")
    ] = False,
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
        _compare(chosen, results, sigmas, format_, json)
    elif json:
        print(json_module.dumps({"figures": [figure_record(f) for f in chosen]}, indent=1))
    else:
        _print(listing(chosen), format_)


def _compare(
    figures: Sequence[PublishedFigure], results: Path, sigmas: float, format_: Format, json: bool
) -> None:
    from bench.published.records import comparison_record
    from bench.published.text import counts, outcome
    from bench.published.verdicts import FigureVerdict, compare
    from bench.results.store import Store

    found = compare(figures, Store(results).load(), sigmas)
    if json:
        records = [comparison_record(item) for item in found]
        print(json_module.dumps({"results": str(results), "comparisons": records}, indent=1))
    else:
        _print(outcome(found), format_)
        print(counts(found))
    if any(item.verdict is FigureVerdict.OFF for item in found):
        raise typer.Exit(1)
    if not any(item.verdict is FigureVerdict.REPRODUCED for item in found):
        raise BenchError(
            f"{results}: no figure was measured under its protocol, so nothing could be compared; "
            "the tables say what differs and what was not run"
        )


def _print(blocks: Sequence[Block], format_: Format) -> None:
    from bench.published.text import markdown, print_blocks

    if format_ is Format.MARKDOWN:
        print(markdown(blocks))
        return
    from rich.console import Console

    print_blocks(blocks, Console(highlight=False))
