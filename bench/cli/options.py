"""Options that several commands have, and what several commands do with them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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


def interruption(advice: str, stop: BaseException | None = None) -> typer.Exit:
    """Say what an interruption leaves; the exit to raise."""
    word, code = ("terminated", 143) if isinstance(stop, Terminated) else ("interrupted", 130)
    print(f"bench: {word}; {advice}", file=sys.stderr)
    return typer.Exit(code)


class Terminated(KeyboardInterrupt):  # it is no error, as the one it is a kind of
    """SIGTERM, as schedulers of clusters send it before they kill."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what runs here as Ctrl-C does."""

    def stop(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
