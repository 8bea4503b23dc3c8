"""`bench models list`: all published files, and how they are on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.options import Json, print_json

EPILOG = """
    bench models list
    bench models list score-sde '*-cond-*'

States: fetched, missing, by hand (missing, and a person has to download it: see `info`), damaged
(of another size; `bench models verify` reads the content).

In YAML a published file is a path: {name: edm, path: "published:edm-cifar10-32x32-uncond-vp"}.
The cache folder is BENCH_CACHE, or the platform's (~/.cache/scorebench on Linux).
"""

Names = Annotated[list[str] | None, typer.Argument(help="Parts of names, or names with wildcards.")]


def list_files(names: Names = None, json: Json = False) -> None:
    """List all published files that plugins know, with size, place and state."""
    from bench.cli.commands.models.files import quick_status, search
    from bench.cli.commands.models.table import table
    from bench.files.cache import cache_folder
    from bench.registry import load_registry

    statuses = [quick_status(supply) for supply in search(names or [], load_registry())]
    if json:
        print_json({"cache": str(cache_folder()), "files": [s.summary() for s in statuses]})
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(table(statuses, console.width))
    console.print(f"cache: {cache_folder()}", markup=False, soft_wrap=True)
