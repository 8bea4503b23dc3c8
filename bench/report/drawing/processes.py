"""Draws many figures: those that matter most first, on more than one core where it pays."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from bench.core.errors import BenchError
from bench.extensions.figure import Canvas, CurveStyle
from bench.report.drawing.canvas import Drawing, PageCanvas, matplotlib_style

WORTH_A_PROCESS = 8
"""Figures for which starting a second process pays."""

MAX_PROCESSES = 4


@dataclass(frozen=True)
class DrawingJob:
    """A view to be drawn.

    Attributes:
        name: of its files.
        title: of the drawing.
        owner: whose figure it is, for messages.
        rank: of its importance; 0 is what a reader must see.
        draw: see `bench.extensions.figure.View`.
        printed: write PDF and PNG beside the SVG.
    """

    name: str
    title: str
    owner: str
    rank: int
    draw: Callable[[Canvas], str | None]
    printed: bool = True


@dataclass(frozen=True)
class DrawingFault:
    """A figure that could not be drawn, and why."""

    owner: str
    reason: str

    @staticmethod
    def of(owner: str, error: BaseException) -> DrawingFault:
        """Describe what was raised, on one line."""
        return DrawingFault(owner, " ".join(f"{type(error).__name__}: {error}".split()))

    def __str__(self) -> str:
        return f"{self.owner} ({self.reason})"


Drawn = Drawing | DrawingFault | None


@dataclass(frozen=True)
class Packed:
    """A draw function as bytes, so that one that cannot be read spoils no other."""

    content: bytes

    def __call__(self, canvas: Canvas) -> str | None:
        caption: str | None = pickle.loads(self.content)(canvas)
        return caption


@dataclass(frozen=True)
class Share:
    """The jobs of one process."""

    jobs: Sequence[DrawingJob]
    styles: Mapping[str, CurveStyle]
    folder: Path

    def draw(self) -> list[Drawn]:
        """Draw in this process."""
        with matplotlib_style():
            return [self._draw(job) for job in self.jobs]

    def draw_elsewhere(self) -> list[Drawn]:
        """Draw in a process of its own.

        Not one of `multiprocessing` (nor of pebble, which rests on it): that would run the script
        of a caller of `write_report` a second time.

        Raises:
            BenchError: it failed as a whole.
        """
        done = subprocess.run(
            [sys.executable, "-m", "bench.report.drawing.processes"],
            input=pickle.dumps(self),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise BenchError(f"figures could not be drawn in a second process: {''.join(last)}")
        found: list[Drawn] = pickle.loads(done.stdout)
        return found

    def _draw(self, job: DrawingJob) -> Drawn:
        canvas = PageCanvas(self.styles)
        try:
            caption = job.draw(canvas)
        except (Exception, SystemExit) as error:
            return DrawingFault.of(job.owner, error)
        if caption is None:
            return None
        try:
            files, markup = canvas.save(job.name, self.folder, job.printed)
        except OSError:  # of the folder, not of the figure
            raise
        except Exception as error:
            return DrawingFault.of(job.owner, error)
        return Drawing(job.name, job.title, caption, files, markup)


def draw_all(
    jobs: Sequence[DrawingJob],
    styles: Mapping[str, CurveStyle],
    folder: Path,
    most: int,
    printed: int,
) -> list[Drawn]:
    """Draw the jobs that matter most; return what came of each, in their order.

    Args:
        jobs: the figures.
        styles: of all curves.
        folder: where to write them.
        most: how many are drawn; None stands for the others.
        printed: how many of them are written as PDF and PNG too.
    """
    ranked = sorted(range(len(jobs)), key=lambda i: jobs[i].rank)[:most]
    named = {i: replace(jobs[i], printed=n < printed) for n, i in enumerate(ranked)}
    count = min(MAX_PROCESSES, _cores()) if len(ranked) >= WORTH_A_PROCESS else 1
    # dealt by importance, so that the costly ones (with PDF and PNG) are shared out evenly
    first, *others = _deal(ranked, count)
    packed = {i: _pack(named[i]) for hand in others for i in hand}
    own = [*first, *(i for i, job in packed.items() if job is None)]
    hands = [[i for i in hand if packed[i] is not None] for hand in others]
    shares = [Share([job for i in hand if (job := packed[i])], styles, folder) for hand in hands]
    with ThreadPoolExecutor(max(1, len(shares))) as beside:
        elsewhere = [beside.submit(share.draw_elsewhere) for share in shares]
        found = dict(zip(own, Share([named[i] for i in own], styles, folder).draw(), strict=True))
        for hand, future in zip(hands, elsewhere, strict=True):
            found |= dict(zip(hand, future.result(), strict=True))
    return [found.get(i) for i in range(len(jobs))]


def _pack(job: DrawingJob) -> DrawingJob | None:
    """Make a job fit for another process; None where it cannot leave this one."""
    try:
        return replace(job, draw=Packed(pickle.dumps(job.draw)))
    except Exception:
        return None


def _deal(order: Sequence[int], count: int) -> list[list[int]]:
    """Share the jobs out to processes; this one, the first, has other work and takes less."""
    if count == 1:
        return [list(order)]
    others = list(range(1, count))
    turns = [*others, 0, *others, 0, *others]
    hands: list[list[int]] = [[] for _ in range(count)]
    for turn, job in zip(cycle(turns), order, strict=False):
        hands[turn].append(job)
    return hands


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def main() -> None:
    """Draw the share that stands on the standard input; write what came of it."""
    share: Share = pickle.load(sys.stdin.buffer)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answer:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever figures print
        answer.write(pickle.dumps(share.draw()))


if __name__ == "__main__":
    main()
