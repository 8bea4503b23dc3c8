"""`bench aliases`; what loads plugins is imported when it is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from bench.extend import Command, hookimpl

_EPILOG = """
Examples:

    bench aliases comfy:dpmpp_2m_sde
    bench aliases "webui:Euler a" --json
    bench aliases --markdown > docs/aliases.md

Aliases stand wherever a solver's or a grid's name stands; results carry the plugin's own name and
parameters. Parameters beside an alias go before its own.
"""


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [Command("aliases", show_aliases, _EPILOG, rank=95)]


def show_aliases(
    name: Annotated[str, typer.Argument(help="An alias, or a project: k, comfy, ...")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    markdown: Annotated[bool, typer.Option(help="As the page docs/aliases.md.")] = False,
) -> None:
    """Show which plugin another project's sampler or schedule is."""
    from bench_aliases.page import find_aliases, page, text

    if markdown:
        print(page(), end="")
        return
    found = find_aliases(name)
    print(json.dumps([vars(alias) for alias in found], indent=2) if as_json else text(found))
