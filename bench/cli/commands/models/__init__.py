"""`bench models`: published files: list, describe, fetch, verify, convert. Imports are lazy."""

from __future__ import annotations

import typer

from bench.cli.commands.models import convert, fetch, info, listing, verify
from bench.extend import Command

app = typer.Typer(
    help="Published checkpoints and statistics: list, describe, fetch, verify, convert.",
    invoke_without_command=True,
)


@app.callback()
def models(context: typer.Context) -> None:
    """Published checkpoints and statistics: list, describe, fetch, verify, convert."""
    if context.invoked_subcommand is None:
        listing.list_files()


app.command("list", epilog=listing.EPILOG)(listing.list_files)
app.command("info", epilog=info.EPILOG)(info.info)
app.command("fetch", epilog=fetch.EPILOG)(fetch.fetch)
app.command("verify", epilog=verify.EPILOG)(verify.verify)
app.command("convert", epilog=convert.EPILOG)(convert.convert)

COMMAND = Command("models", app, rank=82)
