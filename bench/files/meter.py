"""Displays of downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bench.printable import one_line, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


class Meter(Protocol):
    """A display of a download."""

    def begin(self, name: str, done: int, total: int | None) -> None:
        """``name`` has ``done`` bytes of ``total``; also called when it starts anew."""

    def advance(self, count: int) -> None:
        """``count`` bytes more."""

    def say(self, line: str) -> None:
        """Something to know, such as why it takes longer."""


@dataclass(frozen=True)
class Silent:
    """A display that shows nothing."""

    def begin(self, name: str, done: int, total: int | None) -> None:
        pass

    def advance(self, count: int) -> None:
        pass

    def say(self, line: str) -> None:
        pass


@dataclass(frozen=True)
class Bar:
    """A progress bar with bytes, speed and the time that is left; lines only off a terminal."""

    progress: Progress
    task: TaskID

    def begin(self, name: str, done: int, total: int | None) -> None:
        shown = printable(name)
        self.progress.reset(self.task, description=shown, completed=done, total=total, visible=True)

    def advance(self, count: int) -> None:
        self.progress.advance(self.task, count)

    def say(self, line: str) -> None:
        self.progress.console.print(one_line(line), markup=False, soft_wrap=True)


@contextmanager
def download_bar(console: Console) -> Iterator[Bar]:
    """Show a bar on ``console``, gone at the end."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        yield Bar(progress, progress.add_task("", total=None, visible=False))
