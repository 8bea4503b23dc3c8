"""Options that several commands have, and what several commands do with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.files.atomic import unwritable
from bench.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        envvar="BENCH_OFFLINE",
        help="Never use the network: say what is missing and where to put it.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:INDEX.")]


class Format(StrEnum):
    """The forms in which tables are written; a command offers some of them."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    JUNIT = "junit"


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object to standard output."""
    print(json.dumps(content, indent=1))


def print_lines(lines: Iterable[str], console: Console) -> None:
    """Print lines as they stand: no markup, none broken."""
    for line in lines:
        console.print(printable(line), markup=False, soft_wrap=True)


def write_file(path: Path, content: str) -> None:
    """Write what ``--out`` names.

    Raises:
        BenchError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error, "choose another place with --out") from None


def interruption(advice: str) -> typer.Exit:
    """Say what an interruption leaves; the exit to raise."""
    print(f"bench: interrupted; {advice}", file=sys.stderr)
    return typer.Exit(130)
