"""`bench plugins check`: the conformance kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Json, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from bench.registry import Broken, Entry
    from bench.testing.conformance.finding import Finding

EPILOG = """
Each check runs in a process of its own: a plugin that hangs, dies or prints costs itself alone.
What fails is told with what was expected, what was seen, and how to mend it.

In the plugin's own tests the same checks are one import away:

    from bench.testing import conformance
    test_conforms = conformance("my_solver")

Exit codes: 0 conforms, 1 something failed or is broken, 2 there is no such plugin.
"""

Target = Annotated[
    str, typer.Argument(help="Name of a plugin, of an entry point or of a distribution.")
]
Timeout = Annotated[
    float, typer.Option(min=0.1, help="Seconds that one check of one plugin may take.")
]


def check(target: Target, timeout: Timeout = 120.0, json: Json = False) -> None:
    """Check plugins against the contract: cost, order, batches, noise, devices and more."""
    from rich.console import Console

    from bench.registry import load_registry
    from bench.testing.conformance.display import conforms, summary, tables
    from bench.testing.conformance.selection import select

    selection = select(load_registry(), target)
    console = Console(highlight=False, stderr=json)
    found = _findings(selection.entries, timeout, console)
    if json:
        print_json(summary(found, selection.broken))
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
    from bench.testing.conformance.finding import Conformity

    count = {verdict: sum(f.verdict is verdict for f in found) for verdict in Conformity}
    words = [f"{count[verdict]} {verdict.value}" for verdict in Conformity if count[verdict]]
    return ", ".join([*words, *([f"{len(broken)} not loaded"] if broken else [])])
