"""Parareal as a pipeline: what is evaluated, and when it can be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

State = tuple[int, int]
"""(j, p): x at the start of block j after p refinements."""


@dataclass(frozen=True)
class Pipeline:
    """The evaluations of Parareal, each as soon as what it needs is known.

    Attributes:
        bounds: the grid points between blocks, from 0 to the number of steps.
        last: the state that is asked for.
        runs: the evaluations that start from each state: all of the block's fine steps, or one
            where the coarse step alone is needed.
        ticks: of each moment, the (state, fine step) that are evaluated then.
    """

    bounds: tuple[int, ...]
    last: State
    runs: dict[State, int]
    ticks: tuple[tuple[tuple[State, int], ...], ...]


@lru_cache(maxsize=4096)
def make_pipeline(steps: int, block: int, refinements: int) -> Pipeline:
    """The pipeline of ``refinements`` refinements on ``steps`` steps in blocks of ``block``."""
    bounds = (*range(0, steps, block), steps)
    last = len(bounds) - 1, min(refinements, len(bounds) - 1)
    runs: dict[State, int] = {}
    known = {(0, 0): 0}
    for state in sorted(_states_behind(last)):
        j, p = state
        size = bounds[j] - bounds[j - 1]
        if p > 0:
            known[state] = known[j - 1, p - 1] + size
            runs[j - 1, p - 1] = size
        if p < j:
            known[state] = max(known.get(state, 0), known[j - 1, p] + 1)
            runs.setdefault((j - 1, p), 1)
    ticks: list[list[tuple[State, int]]] = [[] for _ in range(known[last])]
    for state, count in runs.items():
        for i in range(count):
            ticks[known[state] + i].append((state, i))
    return Pipeline(bounds, last, runs, tuple(map(tuple, ticks)))


def _states_behind(last: State) -> set[State]:
    """``last`` and all states that it is made of, but for (0, 0).

    After p refinements the first p blocks are solved: (j, p) of p > j is (j, j).
    """
    needed, front = {last}, {last}
    while front:
        before = {(j - 1, p - 1) for j, p in front if p > 0}
        before |= {(j - 1, p) for j, p in front if p < j}
        front = before - needed - {(0, 0)}
        needed |= front
    return needed
