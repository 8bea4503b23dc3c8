"""A command of ``bench``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer


@dataclass(frozen=True)
class Command:
    """A command, or a group of commands.

    Attributes:
        name: what is typed after ``bench``.
        run: the function that typer makes a command of, or an app of several commands. Its module
            imports lazily, so that ``bench --help`` is immediate.
        epilog: literal text below the options in ``--help``.
        rank: commands are listed by rank, then by name; those of the package have ranks below
            100.
    """

    name: str
    run: Callable[..., Any] | typer.Typer
    epilog: str = ""
    rank: int = 100
