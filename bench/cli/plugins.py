"""`bench plugins`: list them, check one, start a new one. Imports are lazy."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from rich.console import Console

    from bench.registry import Broken, Entry
    from bench.testing.conformance.finding import Finding

app = typer.Typer(
    help="List all plugins; check one against the contract; start a new one.",
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]

_CHECK_EPILOG = """
Each check runs in a process of its own: a plugin that hangs, dies or prints costs itself alone.
What fails is told with what was expected, what was seen, and how to mend it.

In the plugin's own tests the same checks are one import away:

    from bench.testing import conformance
    test_conforms = conformance("my_solver")

Exit codes: 0 conforms, 1 something failed or is broken, 2 there is no such plugin.
"""

_NEW_EPILOG = """
    bench plugins new my-solver && pip install ./my-solver
    bench plugins check my_solver
    bench run my-solver/benchmarks.yaml

The package has one solver (DDIM, to be replaced by yours), its tests with the conformance kit, a
suite that compares it with known solvers, and a workflow that does all this on GitHub.
"""


@app.callback()
def list_plugins(
    context: typer.Context,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Only this kind: process, grid, predictor, corrector, ode_solver, model, metric."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """List all plugins with distribution, version, reference and parameters; show broken ones."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from bench.cli.plugin_list import plugin_summary, plugin_tables
    from bench.registry import Kind, load_registry

    kinds = tuple(Kind)
    if kind is not None:
        if kind not in set(Kind):
            raise BenchError(f"--kind {kind}: is not a kind; there are: {', '.join(Kind)}")
        kinds = (Kind(kind),)
    registry = load_registry()
    if json:
        print(json_module.dumps(plugin_summary(registry, kinds), indent=1))
        return
    console = Console(highlight=False)
    for table in plugin_tables(registry, kinds):
        console.print(table)


@app.command(epilog=_CHECK_EPILOG)
def check(
    target: Annotated[
        str, typer.Argument(help="Name of a plugin, of an entry point or of a distribution.")
    ],
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one check of one plugin may take.")
    ] = 120.0,
    json: JsonFlag = False,
) -> None:
    """Check plugins against the contract: cost, order, batches, noise, devices and more."""
    from rich.console import Console

    from bench.registry import load_registry
    from bench.testing.conformance.display import conforms, summary, tables
    from bench.testing.conformance.selection import select

    selection = select(load_registry(), target)
    console = Console(highlight=False, stderr=json)
    found = _findings(selection.entries, timeout, console)
    if json:
        print(json_module.dumps(summary(found, selection.broken), indent=1))
    else:
        for table in tables(found, selection.broken):
            console.print(table)
        console.print(_last_line(found, selection.broken), markup=False)
    if not conforms(found, selection.broken):
        raise typer.Exit(1)


def _findings(entries: tuple[Entry, ...], timeout: float, console: Console) -> list[Finding]:
    from rich.markup import escape
    from rich.progress import Progress

    from bench.printable import printable
    from bench.testing.conformance.isolation import check_entries
    from bench.testing.conformance.suite import CHECKS

    total = sum(len(CHECKS[entry.kind]) for entry in entries)
    found = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("starting", total=total)
        for finding in check_entries(entries, timeout):
            found.append(finding)
            progress.update(
                task, advance=1, description=escape(printable(f"{finding.plugin}: {finding.check}"))
            )
    return found


def _last_line(found: list[Finding], broken: tuple[Broken, ...]) -> str:
    from bench.testing.conformance.finding import Verdict

    count = {verdict: sum(f.verdict is verdict for f in found) for verdict in Verdict}
    words = [f"{count[verdict]} {verdict.value}" for verdict in Verdict if count[verdict]]
    return ", ".join([*words, *([f"{len(broken)} not loaded"] if broken else [])])


@app.command()
def docs(
    distribution: Annotated[
        str, typer.Option(help="The distribution whose plugins are described.")
    ] = "scorebench",
) -> None:
    """Print a page about all solvers, with measured orders and costs (Markdown)."""
    from bench.registry import load_registry
    from bench.testing.catalogue import catalogue

    print(catalogue(load_registry(), distribution), end="")


@app.command(epilog=_NEW_EPILOG)
def new(
    name: Annotated[str, typer.Argument(help="Name of the package, such as my-solver.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to write it; default: a folder of that name here.")
    ] = None,
    stochastic: Annotated[
        bool, typer.Option(help="Start from a stochastic step of the reverse SDE.")
    ] = False,
    author: Annotated[str, typer.Option(help="Your name, for pyproject.toml.")] = "",
) -> None:
    """Write a complete plugin package: a solver, its tests, a suite, a workflow."""
    from bench.scaffold import write_package

    files = write_package(name, folder or Path(name), stochastic, author)
    for file in files:
        print(f"wrote {file}", file=sys.stderr)
    where = folder or Path(name)
    print(f"now: pip install {_local(where)} && bench plugins check {name.replace('-', '_')}")


def _local(path: Path) -> str:
    return str(path) if path.is_absolute() else f"./{path}"
