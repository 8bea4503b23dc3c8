"""`bench run`: a benchmark file, from the plan to the report. Imports are lazy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import (
    Device,
    Json,
    Offline,
    interruption,
    print_json,
    print_lines,
    terminable,
)
from bench.config.suites import descriptions
from bench.core.errors import BenchError
from bench.extend import Command

if TYPE_CHECKING:
    from rich.console import Console

    from bench.run.machine import WorkerOptions
    from bench.run.runner import Plan, RunOutcome

_EPILOG = """
A file names plugins (see `bench plugins`) and what to do with them:

    defaults: {samples: 1000, grids: [karras]}
    suites:
      first:
        models: [digits_mlp]
        processes: [vp]
        solvers: [ddim, dpmpp_2m, {name: ancestral, corrector: langevin}]
        nfe: [5, 10, 20]
        metrics: [fd_digits, rmse]

A list as a parameter ({name: dopri5, rtol: [1e-2, 1e-4]}) means one curve point or curve for each.
Beside solvers a suite may have tasks: [null, inpainting], which samples answer, and
guidance: [null, {name: cfg, scale: 2}]; budgets (nfe) pay for evaluations and gradients alike.
A run that was cut goes on where it was: finished cells are kept. Published files (paths such as
published:edm-cifar10-32x32-uncond-vp, see `bench models list`) are fetched before it starts.

Suites that ship; those without a time on 2 cores need a GPU, and `bench published NAME` has what
was published:

SUITES

Exit codes: 0 all cells fine, 1 some cells failed (the others have results), 2 bad input.
"""

File = Annotated[
    Path,
    typer.Argument(
        help="YAML file with the benchmark matrix, or the name of a suite that ships "
        "(listed below)."
    ),
]
Results = Annotated[
    Path, typer.Option(help="Folder for results; each run has a folder of its name in it.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="Run only cells that fit: FIELD=GLOB (suite, model, task, process, grid, solver, "
        "corrector, guidance, sampler, nfe, seed) or a bare text. Repeat: fields are joined by "
        "'and', the same field by 'or'.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Worker processes. Default: one per core on the CPU, one on a GPU."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads of each worker. Default: one.")
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print the plan, its cost and what it would download; run nothing."
    ),
]
MaxCells = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Refuse a file that makes more cells than this: lists multiply. Default: 50,000.",
    ),
]
Report = Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")]


def run(
    context: typer.Context,
    file: File,
    results: Results = Path("results"),
    only: Only = None,
    device: Device = "auto",
    workers: Workers = None,
    threads: Threads = None,
    dry_run: DryRun = False,
    max_cells: MaxCells = None,
    offline: Offline = False,
    report: Report = True,
    json: Json = False,
) -> None:
    """Run the benchmarks of FILE and write Parquet tables and a report."""
    from rich.console import Console

    from bench.config.count import MAX_CELLS
    from bench.config.suites import resolve
    from bench.files.offline import network
    from bench.registry import load_registry
    from bench.run.machine import WorkerOptions
    from bench.run.runner import Request, plan_run

    context.with_resource(network(allowed=not offline))
    console = Console(stderr=json, highlight=False)
    request = Request(resolve(file), results, tuple(only or ()), device, max_cells or MAX_CELLS)
    plan = plan_run(request, load_registry())
    if dry_run:
        _print_plan(plan, console, json)
        return
    if plan.absent:
        _provide(plan, console, offline)
        plan = plan_run(request, load_registry())
    if not plan.wanted:
        raise BenchError(f"{file}: no cell fits --only {' '.join(only or ())}")
    outcome = _execute(plan, WorkerOptions(workers, threads), console)
    _print_outcome(outcome, _write_report(plan, console) if report else None, console, json)
    if outcome.faults:
        raise typer.Exit(1)


def _print_plan(plan: Plan, console: Console, json: bool) -> None:
    from bench.run.summary import doubt_lines, fetch_lines, plan_summary, plan_table, state_lines

    if json:
        print_json(plan_summary(plan))
        return
    console.print(plan_table(plan))
    print_lines((*state_lines(plan), *fetch_lines(plan), *doubt_lines(plan)), console)


def _provide(plan: Plan, console: Console, offline: bool) -> None:
    from bench.files.meter import download_bar
    from bench.files.supply import provide

    try:
        with download_bar(console) as bar:
            provide(plan.absent, bar, offline)
    except KeyboardInterrupt:
        raise interruption("run again to go on with the download") from None


def _execute(plan: Plan, options: WorkerOptions, console: Console) -> RunOutcome:
    from bench.run.progress import RichObserver
    from bench.run.runner import execute_plan
    from bench.run.summary import doubt_lines, state_lines

    print_lines((*state_lines(plan), *doubt_lines(plan)), console)
    done = len(plan.wanted) - len(plan.missing)
    console.print(
        f"{plan.name}: {len(plan.missing)} cells to run, {done} finished before", markup=False
    )
    try:
        with terminable(), RichObserver(console, plan.missing) as observer:
            return execute_plan(plan, options, observer)
    except KeyboardInterrupt as stop:
        raise interruption("finished cells are kept, run again to go on", stop) from None


def _write_report(plan: Plan, console: Console) -> Path:
    from bench.report import summary_lines, write_report
    from bench.results.store import Store

    report = write_report(plan.store.root, plan.store.root / "report")
    damaged = (f"damaged: {line}; left out" for line in report.damaged)
    print_lines((*damaged, *summary_lines(Store(plan.store.root).load())), console)
    return report.page


def _print_outcome(outcome: RunOutcome, page: Path | None, console: Console, json: bool) -> None:
    from bench.run.summary import outcome_lines, outcome_summary

    if json:
        print_json(outcome_summary(outcome, page))
    else:
        print_lines(outcome_lines(outcome, page), console)


COMMAND = Command("run", run, _EPILOG.replace("SUITES", descriptions()), rank=10)
