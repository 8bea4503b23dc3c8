"""`bench baseline`: the results that a change is held against. Imports are lazy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Device, print_lines
from bench.core.errors import BenchError
from bench.extend import Command

app = typer.Typer(help="Keep the results that changes are compared with.", no_args_is_help=True)

Suite = Annotated[Path, typer.Option(help="YAML file, or the name of a suite that ships.")]
Baseline = Annotated[
    Path, typer.Option(help="Where baselines are; this one gets a folder of its run's name.")
]
Results = Annotated[Path, typer.Option(help="Folder for results; finished cells are kept there.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes. Default: one per core.")
]

_EPILOG = """
    bench baseline update                          the quick suite, into results/baseline/quick
    bench baseline update --suite benchmarks.yaml  a suite of your own
    git add results/baseline && git commit         so that CI can compare with it

A baseline is two files: rows.parquet and evidence.safetensors (some hundred kilobytes).
"""


@app.callback()
def root() -> None:
    """Keep the results that changes are compared with."""


@app.command(epilog=_EPILOG)
def update(
    suite: Suite = Path("quick"),
    baseline: Baseline = Path("results/baseline"),
    results: Results = Path("results"),
    device: Device = "cpu",
    workers: Workers = None,
) -> None:
    """Run a suite and replace its baseline."""
    from rich.console import Console

    from bench.config.suites import resolve
    from bench.registry import load_registry
    from bench.results import bundle
    from bench.run.machine import WorkerOptions
    from bench.run.progress import RichObserver
    from bench.run.runner import Request, execute_plan, plan_run
    from bench.run.summary import state_lines

    console = Console(stderr=True, highlight=False)
    plan = plan_run(Request(resolve(suite), results, device=device), load_registry())
    print_lines(state_lines(plan), console)
    with RichObserver(console, plan.missing) as observer:
        outcome = execute_plan(plan, WorkerOptions(workers, None), observer)
    if outcome.faults:
        cell, status, reason = outcome.faults[0]
        raise BenchError(
            f"{len(outcome.faults)} cells have no result, so the baseline stays as it was; "
            f"{cell.title}: {status}: {reason}"
        )
    target = baseline / plan.name
    bundle.write(plan.store, target)
    size = sum(file.stat().st_size for file in target.iterdir())
    print(f"wrote {target} ({len(plan.cells)} cells, {size / 1024:.0f} KiB)", file=sys.stderr)


COMMAND = Command("baseline", app, rank=80)
