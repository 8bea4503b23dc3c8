"""`bench models verify`: files against their hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Json, print_json
from bench.printable import one_line, printable

if TYPE_CHECKING:
    from bench.cli.commands.models.files import FileStatus

EPILOG = """
Without names: everything that was fetched or pinned. Exit codes: 0 all are sound, 1 something is
damaged or missing, 2 bad input.
"""

Names = Annotated[list[str] | None, typer.Argument(help="Names, with wildcards.")]


def verify(names: Names = None, json: Json = False) -> None:
    """Read files again, and compare them with their sha256."""
    from bench.cli.commands.models.files import expected_files, select, status_by_content
    from bench.registry import load_registry

    registry = load_registry()
    wanted = select(names, registry) if names else expected_files(registry)
    print_statuses([status_by_content(supply) for supply in wanted], {}, json)


def print_statuses(statuses: Sequence[FileStatus], errors: Mapping[str, str], json: bool) -> None:
    """Print how files are; exit with 1 if one is not sound."""
    from bench.cli.commands.models.files import FileState

    if json:
        files = [{**s.summary(), "error": errors.get(s.supply.name)} for s in statuses]
        print_json({"files": files})
    elif not statuses:
        print("nothing was fetched yet; see `bench models list`")
    else:
        for status in statuses:
            reason = f" ({one_line(status.reason)})" if status.reason and not errors else ""
            print(f"{status.state.value}: {printable(status.supply.name)}{reason}")
    if errors or any(status.state is not FileState.FETCHED for status in statuses):
        raise typer.Exit(1)
