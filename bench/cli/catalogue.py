"""The commands there are: the host's, and those of other distributions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import typer

from bench.extend import Command
from bench.extensions.find import COMMANDS, Extension, extensions
from bench.printable import one_line
from bench.project import PROJECT

_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Catalogue:
    """Commands by rank and name, and a line for each that cannot be used."""

    commands: tuple[Command, ...]
    faults: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def host_commands() -> Catalogue:
    """The commands of this distribution."""
    return _catalogue(extensions(COMMANDS, "bench_commands", lambda owner: owner == PROJECT), {})


def all_commands() -> Catalogue:
    """The host's commands and those of other distributions, whose code is imported here."""
    host = host_commands()
    taken = {command.name: PROJECT for command in host.commands}
    foreign = extensions(COMMANDS, "bench_commands", lambda owner: owner != PROJECT)
    others = _catalogue(foreign, taken)
    return Catalogue(_sort((*host.commands, *others.commands)), host.faults + others.faults)


def _catalogue(found: Sequence[Extension], taken: dict[str, str]) -> Catalogue:
    owners, commands, faults = dict(taken), [], []
    for extension in found:
        for item, fault in _commands(extension, owners):
            if fault:
                owner = f"'{extension.entry_point}' of '{extension.distribution}'"
                faults.append(one_line(f"command {owner} is left out: {fault}"))
            else:
                commands.append(item)
                owners[item.name] = extension.distribution
    return Catalogue(_sort(commands), tuple(faults))


def _sort(commands: Sequence[Command]) -> tuple[Command, ...]:
    return tuple(sorted(commands, key=lambda command: (command.rank, command.name)))


def _commands(extension: Extension, owners: dict[str, str]) -> Iterator[tuple[Any, str]]:
    """Each item of the extension, with the reason why it is no command; "" for none."""
    if extension.fault:
        yield None, f"{extension.fault}; mend or uninstall it"
    for item in extension.items:
        yield item, _fault(item, owners)


def _fault(item: object, owners: dict[str, str]) -> str:
    if not isinstance(item, Command):
        return f"{item!r} is no bench.extend.Command"
    if not _NAME.fullmatch(item.name):
        return f"{item.name!r} cannot name a command; use a-z, 0-9 and '-'"
    if item.name in owners:
        return f"the name '{item.name}' is taken by '{owners[item.name]}'; rename it"
    try:
        app = typer.Typer()
        add(app, item)
        typer.main.get_command(app)
    except Exception as error:
        return f"'{item.name}': {type(error).__name__}: {error}"
    return ""


def add(app: typer.Typer, item: Command) -> None:
    """Make ``item`` a command, or a group of commands, of ``app``."""
    if isinstance(item.run, typer.Typer):
        app.add_typer(item.run, name=item.name)
    else:
        app.command(item.name, epilog=item.epilog or None)(item.run)
