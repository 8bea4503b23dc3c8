"""The pages of ``--help`` as they stand in the source: prose is wrapped, examples are literal.

Typer takes help for markup where it draws with rich, so that the list in ``models: [edm]`` is a
tag and vanishes, and wraps examples as prose where it does not. Here all of it is made literal, in
one place, for whatever command there is.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
from rich.markup import escape
from typer.core import HAS_RICH, TyperGroup

Command = Any
"""A command of Typer, whose own type has no public name."""


def command_of(app: typer.Typer) -> Command:
    """The application as a command whose pages show their source as it stands."""
    command = typer.main.get_command(app)
    for page in pages(command):
        _make_literal(page)
    return command


def pages(command: Command) -> Iterator[Command]:
    """The command and all below it."""
    yield command
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            yield from pages(inner)


def literal(text: str, rich: bool) -> str:
    """The text so that it is shown as it stands.

    Args:
        text: paragraphs with blank lines between them; those whose lines are all indented are
            examples, of which every line stays a line.
        rich: whether rich draws it, which reads markup; else click does, which reads the mark
            that keeps it from wrapping.
    """
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text))
    shown = "\n\n".join(
        _example(b, rich) if _is_example(b) else " ".join(b.split()) for b in blocks
    )
    # the first line would lose its indentation
    return f"\n{escape(shown)}" if rich else shown


def _make_literal(command: Command) -> None:
    rich = HAS_RICH and command.rich_markup_mode is not None
    # of what has no short form, click would cut one off
    command.short_help = command.short_help or (command.help or "").partition("\n\n")[0]
    for name in ("help", "epilog", "short_help"):
        _replace(command, name, rich)
    for parameter in command.params:
        _replace(parameter, "help", rich)


def _replace(owner: Any, name: str, rich: bool) -> None:
    text = getattr(owner, name, None)
    if text:
        setattr(owner, name, literal(text, rich))


def _is_example(block: str) -> bool:
    return all(line.startswith(" ") for line in block.splitlines())


def _example(block: str, rich: bool) -> str:
    return block if rich else f"\b\n{block}"
