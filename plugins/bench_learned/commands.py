"""`bench calibrate`; torch is imported when it is called."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.extend import BenchError, Command, hookimpl

_EPILOG = """
FILE is a benchmark file with one model, process and seed, some of whose grids or solvers learn:

    suites:
      learned:
        models: [mnist_unet]
        solvers: [s4s]
        nfe: [5, 8, 10]
        metrics: [rmse]

    bench calibrate FILE.yaml --out learned.json

Then `solvers: [{name: s4s, file: learned.json}]` runs at these budgets without learning, with the
samples that it would have had. Nothing is sampled or measured here. docs/calibration.md.

Exit codes: 0 learned, 2 bad input.
"""

File = Annotated[Path, typer.Argument(help="Benchmark file whose grids and solvers learn.")]
Out = Annotated[Path, typer.Option(help="Write the learned numbers here, as JSON.")]
Only = Annotated[
    list[str] | None, typer.Option(help="FIELD=GLOB, as in `bench run`: a part of the file.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file of --out.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:INDEX.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [Command("calibrate", calibrate, _EPILOG, rank=16)]


def calibrate(
    file: File,
    out: Out,
    only: Only = None,
    force: Force = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Learn the numbers of calibrated grids and solvers once, and keep them in a file."""
    if out.exists() and not force:
        raise BenchError(f"{out}: exists; name another file, or replace it by --force")
    from bench_learned.learning import learn_cells, plan_learning
    from bench_plugins.learned.kept import Entry, write_kept

    entries: list[Entry] = []
    cells, on = plan_learning(file, only or (), device)
    for cell, learned in learn_cells(cells, on):
        entries += learned
        for entry in learned:
            spent = entry.spent
            print(
                f"{cell.point}: {entry.plugin.name}, {entry.steps} steps: {spent.evaluations} "
                f"evaluations, {spent.vjps} gradients, {spent.seconds:.1f} s",
                file=sys.stderr,
            )
    write_kept(out, entries)
    if json:
        rows = [
            {"plugin": e.plugin.name, "steps": e.steps, **vars(e.spent), **e.origin}
            for e in entries
        ]
        print(json_module.dumps({"out": str(out), "entries": rows}, indent=1))
    else:
        print(f"wrote {out}")
