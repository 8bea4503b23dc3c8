"""Progress of a training: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench_train.housekeeping import Report


@contextmanager
def show_progress(console: Console, total: int) -> Iterator[Callable[[Report], None]]:
    """Give the function to hand to `train` for reports."""
    if not console.is_terminal:
        yield lambda report: console.print(describe(report), highlight=False, soft_wrap=True)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("starting", total=total)

        def update(report: Report) -> None:
            text = f"loss {report.loss:.4f}, {report.images_per_s:.0f} img/s"
            bar.update(task, completed=report.images, description=text)

        yield update


def describe(report: Report) -> str:
    """One line: images, loss, speed, learning rate, time left."""
    return (
        f"{report.images}/{report.total} images  loss {report.loss:.4f}  "
        f"{report.images_per_s:.0f} img/s  rate {report.rate:.2e}  {report.remaining_s:.0f} s left"
    )
