"""`bench plugins`: list them, check one, describe them, start a new one. Imports are lazy."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.commands.plugins import check, new
from bench.cli.options import Json, print_json
from bench.core.errors import BenchError
from bench.extend import Command

app = typer.Typer(
    help="List all plugins; check one against the contract; start a new one.",
    invoke_without_command=True,
)

OneKind = Annotated[
    str | None,
    typer.Option(
        help="Only this kind: process, grid, predictor, corrector, ode_solver, guidance, task, "
        "model, metric."
    ),
]
Distribution = Annotated[str, typer.Option(help="The distribution whose plugins are described.")]


@app.callback()
def list_plugins(context: typer.Context, kind: OneKind = None, json: Json = False) -> None:
    """List all plugins with distribution, version, reference and parameters; show broken ones."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console

    from bench.cli.commands.plugins.listing import plugin_summary, plugin_tables
    from bench.registry import Kind, load_registry

    kinds = tuple(Kind)
    if kind is not None:
        if kind not in set(Kind):
            raise BenchError(f"--kind {kind}: is not a kind; there are: {', '.join(Kind)}")
        kinds = (Kind(kind),)
    registry = load_registry()
    if json:
        print_json(plugin_summary(registry, kinds))
        return
    console = Console(highlight=False)
    for table in plugin_tables(registry, kinds):
        console.print(table)


app.command(epilog=check.EPILOG)(check.check)


@app.command()
def docs(distribution: Distribution = "scorebench") -> None:
    """Print a page about all solvers, with measured orders and costs (Markdown)."""
    from bench.registry import load_registry
    from bench.testing.catalogue import catalogue

    print(catalogue(load_registry(), distribution), end="")


app.command(epilog=new.EPILOG)(new.new)

COMMAND = Command("plugins", app, rank=81)
