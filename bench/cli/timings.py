"""`bench timings`: sampling times for dashboards. Imports are lazy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.core.errors import BenchError


def timings_command(
    results: Annotated[Path, typer.Argument(help="Folder of a run, such as results/quick.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: standard output.")
    ] = None,
) -> None:
    """Write a run's sampling times in the format of pytest-benchmark's JSON."""
    from bench.compare.inputs import open_results
    from bench.compare.timings import timings

    with open_results(str(results)) as side:
        content = timings(side.frame)
    if out is None:
        sys.stdout.write(content)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(content, encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"{out}: cannot be written ({error.strerror}); choose another place with --out"
        ) from None
