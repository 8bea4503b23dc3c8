"""Drawing many figures: those that matter most first, on more than one core where it pays."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from bench.core.errors import BenchError
from bench.report.canvas import Drawing, Sketch, save, style

WORTH_A_PROCESS = 8
"""Figures for which starting a second process pays."""

MAX_PROCESSES = 4


@dataclass(frozen=True)
class Job:
    """A figure to be drawn.

    Attributes:
        rank: of its importance; 0 is what a reader must see.
        sketch: draws it; None where there turns out to be nothing to draw.
        printed: write PDF and PNG beside the SVG.
    """

    rank: int
    sketch: Callable[[], Sketch | None]
    printed: bool = True


def drawn(jobs: Sequence[Job], folder: Path, most: int, printed: int) -> list[Drawing | None]:
    """The drawings of the jobs, in their order.

    Args:
        jobs: the figures.
        folder: where to write them.
        most: how many are drawn, those that matter most; None stands for the others.
        printed: how many of them are written as PDF and PNG too.
    """
    ranked = sorted(range(len(jobs)), key=lambda i: jobs[i].rank)[:most]
    few = frozenset(ranked[:printed])
    named = [replace(job, printed=i in few) for i, job in enumerate(jobs)]
    count = min(MAX_PROCESSES, _cores()) if len(ranked) >= WORTH_A_PROCESS else 1
    # dealt by importance, so that the costly ones (with PDF and PNG) are shared out evenly
    hands = _dealt(ranked, count)
    found: dict[int, Drawing | None] = {}
    helpers = [_Helper.started([named[i] for i in hand], folder) for hand in hands[1:]]
    try:
        found |= dict(zip(hands[0], _draw([named[i] for i in hands[0]], folder), strict=True))
        for hand, helper in zip(hands[1:], helpers, strict=True):
            found |= dict(zip(hand, helper.result(), strict=True))
    finally:
        for helper in helpers:
            helper.end()
    return [found.get(i) for i in range(len(jobs))]


def _draw(jobs: Sequence[Job], folder: Path) -> list[Drawing | None]:
    with style():
        sketches = ((job, job.sketch()) for job in jobs)
        return [None if s is None else save(s, folder, job.printed) for job, s in sketches]


def _dealt(order: Sequence[int], count: int) -> list[list[int]]:
    """The jobs of each of `count` processes; this one, the first, has other work and takes less."""
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


@dataclass(frozen=True)
class _Helper:
    """A process that draws a share of the figures.

    Not of `multiprocessing`: that would run a caller's script a second time.
    """

    process: subprocess.Popen[bytes]
    scratch: tempfile.TemporaryDirectory[str]

    @staticmethod
    def started(jobs: Sequence[Job], folder: Path) -> _Helper:
        scratch = tempfile.TemporaryDirectory(prefix="scorebench-")
        Path(scratch.name, "jobs").write_bytes(pickle.dumps((list(jobs), folder)))
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.report.jobs", scratch.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        return _Helper(process, scratch)

    def result(self) -> list[Drawing | None]:
        _, said = self.process.communicate()
        if self.process.returncode:
            last = said.decode(errors="replace").strip().splitlines()[-1:]
            raise BenchError(f"figures could not be drawn in a second process: {''.join(last)}")
        found: list[Drawing | None] = pickle.loads(Path(self.scratch.name, "done").read_bytes())
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.scratch.cleanup()


def main(scratch: Path) -> None:
    """Draw what a report's own process has left in its scratch folder."""
    jobs, folder = pickle.loads((scratch / "jobs").read_bytes())
    (scratch / "done").write_bytes(pickle.dumps(_draw(jobs, folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
