"""The command line: parse, call, print. Imports are lazy, so that ``--help`` is immediate."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.baseline import app as baseline_app
from bench.cli.compare import EPILOG as COMPARE_EPILOG
from bench.cli.compare import compare_command
from bench.cli.help_pages import command_of
from bench.cli.models import app as models_app
from bench.cli.plugins import app as plugins_app
from bench.cli.published import EPILOG as PUBLISHED_EPILOG
from bench.cli.published import published_command
from bench.cli.timings import timings_command
from bench.core.errors import BenchError
from bench.printable import one_line, printable
from bench_train.command import TRAIN_EPILOG, train_classifier_command, train_command

if TYPE_CHECKING:
    from rich.console import Console

    from bench.run.runner import Plan, RunOutcome

app = typer.Typer(
    name="bench",
    help="The referee of diffusion samplers: compares SDE and ODE solvers on score models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_RUN_EPILOG = """
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
A run that was cut goes on where it was: finished cells are kept. Published files (paths such as
published:edm-cifar10-32x32-uncond-vp, see `bench models list`) are fetched before it starts.

Suites that ship; all but the first two need a GPU, and `bench published NAME` has what was
published:

    all-solvers            every solver on the MNIST U-Net; half an hour on 2 cores
    quick                  a dozen solvers on small models, for CI; a minute on 2 cores
    cifar10-edm            EDM's networks: NFE 35, and eight solvers at 3 to 10 NFE
    ffhq64-edm             the same on FFHQ at 64x64: NFE 79, and 3 to 10
    imagenet64-edm         the same on ImageNet at 64x64: stochastic NFE 511, and 3 to 10
    afhqv2-edm             AFHQv2 at 64x64: NFE 79
    cifar10-score-sde      NCSN++, DDPM++ and DDPM of score_sde: Tables 1 to 3 of their paper
    celebahq256-score-sde  NCSN++ of CelebA-HQ at 256x256: fast solvers of the VE ODE
    cifar10-ddpm-hf        DDPM from the Hugging Face hub: ancestral sampling, and fast solvers

Exit codes: 0 all cells fine, 1 some cells failed (the others have results), 2 bad input.
"""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
OfflineFlag = Annotated[
    bool,
    typer.Option(
        "--offline",
        envvar="BENCH_OFFLINE",
        help="Never use the network: say what is missing and where to put it.",
    ),
]
ResultsOption = Annotated[
    Path, typer.Option(help="Folder for results; each run has a folder of its name in it.")
]


@app.command(epilog=_RUN_EPILOG)
def run(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="YAML file with the benchmark matrix, or the name of a suite that ships "
            "(listed below)."
        ),
    ],
    results: ResultsOption = Path("results"),
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only cells that fit: FIELD=GLOB (suite, model, process, grid, solver, "
            "corrector, sampler, nfe, seed) or a bare text. Repeat: fields are joined by 'and', "
            "the same field by 'or'.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:INDEX.")] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Worker processes. Default: one per core on the CPU, one on a GPU."
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="CPU threads of each worker. Default: one."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the plan, its cost and what it would download; run nothing."
        ),
    ] = False,
    max_cells: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Refuse a file that makes more cells than this: lists multiply. Default: 50,000.",
        ),
    ] = None,
    offline: OfflineFlag = False,
    report_: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the report at the end.")
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Run the benchmarks of FILE and write Parquet tables and a report."""
    from rich.console import Console

    from bench.config.count import MAX_CELLS
    from bench.config.suites import resolve
    from bench.files.offline import network
    from bench.registry import load_registry
    from bench.run.machine import WorkerOptions
    from bench.run.progress import RichObserver
    from bench.run.runner import Request, execute_plan, plan_run
    from bench.run.summary import doubt_lines, state_lines

    context.with_resource(network(allowed=not offline))
    console = Console(stderr=json, highlight=False)
    most = MAX_CELLS if max_cells is None else max_cells
    request = Request(resolve(file), results, tuple(only or ()), device, most)
    plan = plan_run(request, load_registry())
    if dry_run:
        _print_plan(plan, console, json)
        return
    if plan.absent:
        _provide(plan, console, offline)
        plan = plan_run(request, load_registry())
    if not plan.wanted:
        raise BenchError(f"{file}: no cell fits --only {' '.join(only or ())}")
    done = len(plan.wanted) - len(plan.missing)
    for line in (*state_lines(plan), *doubt_lines(plan)):
        console.print(printable(line), markup=False, soft_wrap=True)
    console.print(
        f"{plan.name}: {len(plan.missing)} cells to run, {done} finished before", markup=False
    )
    try:
        with RichObserver(console, plan.missing) as observer:
            outcome = execute_plan(plan, WorkerOptions(workers, threads), observer)
    except KeyboardInterrupt:
        print("bench: interrupted; finished cells are kept, run again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    page = _write_report(plan, console) if report_ else None
    _print_outcome(outcome, page, console, json)
    if outcome.faults:
        raise typer.Exit(1)


def _provide(plan: Plan, console: Console, offline: bool) -> None:
    from bench.files.meter import download_bar
    from bench.files.supply import provide

    try:
        with download_bar(console) as bar:
            provide(plan.absent, bar, offline)
    except KeyboardInterrupt:
        print("bench: interrupted; run again to go on with the download", file=sys.stderr)
        raise typer.Exit(130) from None


def _write_report(plan: Plan, console: Console) -> Path:
    from bench.report import summary_lines, write_report
    from bench.results.store import Store

    report = write_report(plan.store.root, plan.store.root / "report")
    for line in report.damaged:
        console.print(f"damaged: {line}; left out", markup=False, soft_wrap=True)
    for line in summary_lines(Store(plan.store.root).load()):
        console.print(line, markup=False, soft_wrap=True)
    return report.page


def _print_plan(plan: Plan, console: Console, json: bool) -> None:
    from bench.run.summary import doubt_lines, fetch_lines, plan_summary, plan_table, state_lines

    if json:
        print(json_module.dumps(plan_summary(plan), indent=1))
        return
    console.print(plan_table(plan))
    for line in (*state_lines(plan), *fetch_lines(plan), *doubt_lines(plan)):
        console.print(printable(line), markup=False, soft_wrap=True)


def _print_outcome(outcome: RunOutcome, page: Path | None, console: Console, json: bool) -> None:
    from bench.run.summary import outcome_lines, outcome_summary

    if json:
        print(json_module.dumps(outcome_summary(outcome, page), indent=1))
        return
    for line in outcome_lines(outcome, page):
        console.print(printable(line), markup=False, soft_wrap=True)


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="Folder of one run, such as results/benchmarks.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: RESULTS/report.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="Another run, as `bench compare` takes it: its curves are drawn behind this "
            "one's, and the verdicts stand on the page.",
        ),
    ] = None,
    figures: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Draw so many figures, those that matter most; 0: all. Default: all, but 8 of a "
            "run of more than 20000 rows.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Draw the curves of a run: one page, figures (SVG, PDF, PNG) and tables (CSV, LaTeX)."""
    from bench.report import write_report

    written = write_report(results, out or results / "report", compare, figures)
    for line in written.damaged:
        print(f"damaged: {line}; left out", file=sys.stderr)
    if json:
        told: dict[str, object] = {"comparison": written.comparison} if compare else {}
        told |= {"page": str(written.page), "damaged": list(written.damaged)}
        print(json_module.dumps(told))
    else:
        print(printable(f"report: {written.page}"))
        if compare:
            print(printable(f"against {compare}: {written.comparison}"))


@app.command()
def schema() -> None:
    """Print the documentation of the results table (Markdown)."""
    from bench.results.schema import markdown

    print(markdown(), end="")


app.command("compare", epilog=COMPARE_EPILOG)(compare_command)
app.add_typer(baseline_app, name="baseline")
app.add_typer(plugins_app, name="plugins")
app.command("timings")(timings_command)
app.add_typer(models_app, name="models")
app.command("published", epilog=PUBLISHED_EPILOG)(published_command)
app.command("train", epilog=TRAIN_EPILOG)(train_command)
app.command("train-classifier")(train_classifier_command)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Compare samplers of score-based diffusion models, and see how each number came about."""
    if version:
        from bench.project import __version__

        print(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point: a mistake of the user's becomes one line and exit code 2."""
    try:
        command_of(app)()
    except BenchError as error:
        print("bench:", one_line(str(error)), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(141)
