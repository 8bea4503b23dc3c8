"""`bench report`: the page of a run. Imports are lazy."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Json
from bench.extend import Command
from bench.printable import printable

Results = Annotated[Path, typer.Argument(help="Folder of one run, such as results/benchmarks.")]
Out = Annotated[Path | None, typer.Option(help="Folder to write to; default: RESULTS/report.")]
Base = Annotated[
    str | None,
    typer.Option(
        metavar="BASE",
        help="Another run, as `bench compare` takes it: its curves are drawn behind this "
        "one's, and the verdicts stand on the page.",
    ),
]
Figures = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Draw so many figures, those that matter most; 0: all. Default: all, but 8 of a "
        "run of more than 20000 rows.",
    ),
]


def report(
    results: Results,
    out: Out = None,
    compare: Base = None,
    figures: Figures = None,
    json: Json = False,
) -> None:
    """Draw the curves of a run: one page, figures (SVG, PDF, PNG) and tables (CSV, LaTeX)."""
    from bench.report import write_report

    written = write_report(results, out or results / "report", compare, figures)
    for line in written.damaged:
        print(f"damaged: {line}; left out", file=sys.stderr)
    if json:
        summary: dict[str, object] = {"comparison": written.comparison} if compare else {}
        summary |= {"page": str(written.page), "damaged": list(written.damaged)}
        print(json_module.dumps(summary))
    else:
        print(printable(f"report: {written.page}"))
        if compare:
            print(printable(f"against {compare}: {written.comparison}"))


COMMAND = Command("report", report, rank=20)
