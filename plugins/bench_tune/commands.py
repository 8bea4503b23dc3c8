"""The command: from a suite with lists of values to the values to run next. Imports are lazy."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.extend import BenchError, Command, hookimpl

if TYPE_CHECKING:
    import pandas as pd

    from bench_tune.choice import Choice
    from bench_tune.draws import Draws
    from bench_tune.suite import TunedSuite

_EPILOG = """
A list of values is what is chosen from:

    suites:
      inverse:
        models: [gaussian_mixture]
        tasks: [{name: inpainting, mask: half}]
        solvers: [ddim, {name: ddim_eta, eta: [0.5, 1.0]}]
        guidance: [{name: dps, scale: [0.3, 1.0, 3.0]}]
        nfe: [50]
        seeds: [0, 1, 2]
        metrics: [posterior_swd]

    bench tune inverse.yaml --metric posterior_swd --out tuned.yaml
    bench run tuned.yaml

The suite runs with `split: validation` of every task, as the run NAME-validation; numbers of the
test observations are neither made nor read. Where a task observes nothing (`class`, or no task),
other noise takes their place: the whole run has as many seeds as the suite, 1000000, 1000001, ...,
and --seeds that name one of the suite's are refused.

For every model, task, process, grid, solver, corrector, guidance and budget the parameters with the
best mean over seeds are chosen; of equal ones the first in the file. A second call runs only what
is missing.

Exit codes: 0 all chosen, 1 some combination has no usable number, 2 bad input.
"""

File = Annotated[
    Path, typer.Argument(help="YAML file, whose suite has parameters with lists of values.")
]
Metric = Annotated[str, typer.Option(help="The number that decides, such as psnr.")]
SuiteName = Annotated[
    str | None, typer.Option(help="The suite of FILE. Default: the only one that it has.")
]
Results = Annotated[Path, typer.Option(help="Folder for the results of the validation run.")]
Out = Annotated[
    Path | None, typer.Option(help="Write the suite with the chosen values, on the test's draws.")
]
Seeds = Annotated[
    str | None,
    typer.Option(
        help="Seeds of the validation run, such as 5,6,7. Default: FILE's, and where a task "
        "observes nothing as many others."
    ),
]
OneError = Annotated[
    bool,
    typer.Option(
        "--one-standard-error",
        help="Choose the first in the order of FILE that is within one standard error of the best.",
    ),
]
Across = Annotated[
    bool,
    typer.Option("--across-budgets", help="One choice for all budgets, by the mean over them."),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:INDEX.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes, as in `bench run`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [Command("tune", tune, _EPILOG, rank=15)]


def tune(
    file: File,
    metric: Metric,
    suite: SuiteName = None,
    results: Results = Path("results"),
    out: Out = None,
    seeds: Seeds = None,
    one_standard_error: OneError = False,
    across_budgets: Across = False,
    device: Device = "auto",
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Choose parameters of guidances and solvers on validation draws, never the test's."""
    from bench_tune.catalogue import read_catalogue
    from bench_tune.choice import Rule, choose
    from bench_tune.suite import read_suite

    found = read_suite(file, suite)
    catalogue = read_catalogue()
    found.check(catalogue)
    draws = found.draws(catalogue, _seeds(seeds))
    rows = _validate(found, draws, results, device, workers)
    choices = choose(rows, Rule(metric, one_standard_error, across_budgets), catalogue)
    if out is not None:
        _write(out, found, choices, draws, f"bench tune {file} --metric {metric}")
    _print(choices, metric, draws, out, json)
    if not all(choice.chosen for choice in choices):
        raise typer.Exit(1)


def _seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise BenchError(f"--seeds {text}: write whole numbers and commas, such as 0,1,2")
    return [int(part) for part in parts]


def _validate(
    suite: TunedSuite, draws: Draws, results: Path, device: str, workers: int | None
) -> pd.DataFrame:
    """The rows of the validation run."""
    from bench import load_results
    from bench_tune.launch import run_suite
    from bench_tune.yaml_text import write_yaml

    content = suite.validation(draws)
    name = str(content["name"])
    place = results / f"{name}.yaml"
    write_yaml(place, content, [f"Made by `bench tune` of {suite.path}; do not edit."])
    more = ["--device", device, *(["--workers", str(workers)] if workers else [])]
    code = run_suite([str(place), "--results", str(results), "--no-report", *more])
    if code not in (0, 1):  # it has said why
        raise typer.Exit(code)
    rows = load_results(results / name)
    draws.check(rows, results / name / "answers")
    return rows


def _write(
    out: Path, suite: TunedSuite, choices: Sequence[Choice], draws: Draws, command: str
) -> None:
    from bench_tune.tuned import remarks, tuned_file
    from bench_tune.yaml_text import write_yaml

    if not any(choice.chosen for choice in choices):
        raise BenchError(f"{out}: not written, since no combination has a usable number")
    write_yaml(out, tuned_file(suite, choices), list(remarks(command, choices, draws)))


def _print(
    choices: Sequence[Choice], metric: str, draws: Draws, out: Path | None, json: bool
) -> None:
    from rich.console import Console

    from bench_tune.table import as_json, make_table, warnings

    if json:
        content = {"metric": metric, "seeds": list(draws.seeds)}
        content |= {"choices": [as_json(choice) for choice in choices]}
        print(json_module.dumps(content | {"out": None if out is None else str(out)}, indent=1))
    else:
        console = Console(highlight=False)
        console.print(make_table(choices, metric, draws))
        if out is not None:
            console.print(f"wrote {out}", markup=False, soft_wrap=True)
    for line in warnings(choices):
        print(f"bench: {line}", file=sys.stderr)
