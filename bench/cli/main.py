"""The command line: find the commands, call one, make a mistake one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from bench.cli.catalogue import add, all_commands, host_commands
from bench.cli.help_pages import command_of
from bench.core.errors import BenchError
from bench.extend import Command
from bench.printable import one_line
from bench.project import __version__


def application(commands: Iterable[Command]) -> typer.Typer:
    """``bench`` with these commands."""
    built = typer.Typer(
        name="bench",
        help="The referee of diffusion samplers: compares SDE and ODE solvers on score models.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    built.callback(invoke_without_command=True)(root)
    for item in commands:
        add(built, item)
    return built


def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Compare samplers of score-based diffusion models, and see how each number came about."""
    if version:
        print(__version__)
        raise typer.Exit


app = application(host_commands().commands)


def main() -> None:
    """Entry point: a mistake of the user's becomes one line and exit code 2."""
    try:
        command_of(_application_for(sys.argv[1:]))()
    except BenchError as error:
        print("bench:", one_line(str(error)), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(141)


def _application_for(arguments: Sequence[str]) -> typer.Typer:
    """The host's commands; those of others too unless ``arguments`` call one of the host's.

    Code of others is neither imported nor spoken of where it is not needed.
    """
    host = host_commands()
    if not host.commands:
        reason = "; ".join(host.faults) or "none is named"
        raise BenchError(f"this installation has no commands: {reason}; install scorebench again")
    name = next((item for item in arguments if not item.startswith("-")), "")
    if name in {command.name for command in host.commands}:
        return app
    found = all_commands()
    unknown = name and name not in {command.name for command in found.commands}
    if unknown or not arguments or {"-h", "--help"} & set(arguments):
        for fault in found.faults:
            print("bench:", fault, file=sys.stderr)
    return application(found.commands)
