"""`bench timings`: sampling times for dashboards. Imports are lazy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import write_file
from bench.extend import Command

Results = Annotated[Path, typer.Argument(help="Folder of a run, such as results/quick.")]
Out = Annotated[Path | None, typer.Option(help="File to write; default: standard output.")]


def write_timings(results: Results, out: Out = None) -> None:
    """Write a run's sampling times in the format of pytest-benchmark's JSON."""
    from bench.compare.inputs import open_results
    from bench.compare.timings import timings

    with open_results(str(results)) as side:
        content = timings(side.frame)
    if out is None:
        sys.stdout.write(content)
    else:
        write_file(out, content)


COMMAND = Command("timings", write_timings, rank=50)
