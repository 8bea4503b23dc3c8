"""Shows a run: a bar with the time left, and a line per finished cell."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bench.printable import one_line, printable
from bench.results.schema import Status
from bench.run.cell import Cell
from bench.run.rows import CellResult

_STYLE = {Status.OK: "green", Status.UNSUPPORTED: "dim"}

ADAPTIVE_GUESS = 100
"""NFE that an unseen adaptive cell is taken to cost when the time left is estimated."""


@dataclass
class TimeLeft:
    """Estimates the time left from each model's measured seconds per planned evaluation."""

    cells: InitVar[Iterable[Cell]]
    _left: dict[str, float] = field(default_factory=dict)
    _rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    _starts: dict[str, float] = field(default_factory=dict)
    _workers: int = 1

    def __post_init__(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            self._left[cell.model.name] = self._left.get(cell.model.name, 0.0) + _work(cell)

    def start(self, cell: Cell) -> None:
        """A cell begins."""
        self._starts[cell.key] = time.monotonic()
        self._workers = max(self._workers, len(self._starts))

    def finish(self, cell: Cell) -> None:
        """A cell is done."""
        seconds = time.monotonic() - self._starts.pop(cell.key, time.monotonic())
        model, work = cell.model.name, _work(cell)
        spent, done = self._rates.get(model, (0.0, 0.0))
        self._rates[model] = (spent + seconds, done + work)
        self._left[model] -= work

    def seconds(self) -> float | None:
        """Seconds left, None before the first cell is done."""
        rates = {name: spent / work for name, (spent, work) in self._rates.items()}
        if not rates:
            return None
        slowest = max(rates.values())
        left = sum(work * rates.get(model, slowest) for model, work in self._left.items())
        left -= sum(time.monotonic() - begin for begin in self._starts.values())
        return max(left, 0.0) / self._workers


def _work(cell: Cell) -> float:
    return float((cell.budget or ADAPTIVE_GUESS) * cell.protocol.samples)


class RichObserver:
    """Draws a bar on ``console`` and prints a line for each finished cell."""

    def __init__(self, console: Console, cells: Sequence[Cell]) -> None:
        self._console = console
        self._time_left = TimeLeft(cells)
        self._running: dict[str, str] = {}
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[cyan]{task.fields[left]}[/cyan]"),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("starting workers", total=len(cells), left="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def cell_started(self, cell: Cell) -> None:
        """Show the cell as running."""
        self._time_left.start(cell)
        self._running[cell.key] = one_line(cell.title)
        self._show()

    def cell_finished(self, cell: Cell, result: CellResult) -> None:
        """Print the cell's line and advance."""
        self._time_left.finish(cell)
        self._running.pop(cell.key, None)
        self._console.print(cell_line(cell, result), soft_wrap=True)
        self._progress.advance(self._task)
        self._show()

    def _show(self) -> None:
        seconds = self._time_left.seconds()
        left = "" if seconds is None else f"{_duration(seconds)} left"
        current = next(iter(self._running.values()), "")
        self._progress.update(self._task, description=current, left=left)


def cell_line(cell: Cell, result: CellResult) -> Text:
    """One line: status, cell, numbers or reason."""
    status = result.status
    line = Text(f"{status.value:>11}  ", style=_STYLE.get(status, "red"))
    line.append(one_line(cell.title), style="default")
    first = result.rows[0] if result.rows else {}
    if first.get("sample_wall_s") is not None:
        vjp = f" + {first['vjp']:g} VJP" if first["vjp"] else ""
        line.append(f"  {first['nfe']:g} NFE{vjp} {first['sample_wall_s']:.2f} s", style="cyan")
    named = {metric.name for metric in cell.metrics}
    numbers = [
        f"{printable(row['metric'])} {row['value']:.4g}"
        for row in result.rows
        if row["metric"] in named and row.get("value") is not None
    ]
    line.append("  " + "  ".join(numbers), style="bold default")
    if status not in (Status.OK, Status.UNSUPPORTED):
        line.append(f"  {one_line(result.reason)}", style="red")
    return line


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
