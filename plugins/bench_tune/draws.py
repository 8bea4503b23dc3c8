"""Draws to choose on, which the test run does not use: other observations, or other noise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.extend import BenchError

if TYPE_CHECKING:
    import pandas as pd

VALIDATION, TEST = "validation", "test"

FIRST_SEED = 1_000_000
"""The first seed to choose on where nothing is observed; people name small ones."""


@dataclass(frozen=True)
class Draws:
    """The draws of a validation run.

    Attributes:
        seeds: of the run.
        test_seeds: of the suite.
        unsplit: tasks that have no ``split`` and observe nothing; "" stands for no task at all.
    """

    seeds: tuple[int, ...]
    test_seeds: tuple[int, ...]
    unsplit: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The draws in words."""
        return f"{VALIDATION} {'draws' if self.unsplit else 'observations'}"

    def remarks(self) -> Iterator[str]:
        """The seeds that stand for validation where nothing is observed."""
        if self.unsplit:
            yield (
                f"Without observations ({_names(self.unsplit)}) the noise of the seeds "
                f"{_list(self.seeds)} chose, which the suite does not use; keep them out of its "
                "`seeds`."
            )

    def check(self, frame: pd.DataFrame, answers: Path) -> None:
        """Refuse results of other draws.

        Args:
            frame: the results.
            answers: folder with a file for each cell whose samples answer observations.

        Raises:
            BenchError: a row is of the test's draws, or of observations that do not split.
        """
        unsplit = frame["task"].fillna("").isin(self.unsplit)
        params = frame.loc[~unsplit, "task_params"].fillna("")
        if {json.loads(text or "{}").get("split") for text in params} - {VALIDATION}:
            raise BenchError("the results hold rows of other observations than those of validation")
        own = frame[unsplit]
        if set(own["seed"]) - set(self.seeds) or set(own["seed"]) & set(self.test_seeds):
            raise BenchError("the results hold rows of other seeds than those of validation")
        for task, key in zip(own["task"], own["key"], strict=True):
            if (answers / f"{key}.npz").exists():
                raise BenchError(
                    f"task '{task}' has observations, but none for validation (no parameter "
                    "`split`); leave it out of the suite"
                )


def make_draws(
    test_seeds: Sequence[int], unsplit: Sequence[str], seeds: Sequence[int] | None
) -> Draws:
    """The draws of a validation run with ``seeds``.

    Without seeds these are the suite's own, on other observations. Where some task has none, they
    are as many from ``FIRST_SEED`` on that the suite does not name, for all tasks.

    Raises:
        BenchError: the noise of some of ``seeds`` is the test's own.
    """
    if unsplit and seeds is None:
        fresh = (seed for seed in count(FIRST_SEED) if seed not in test_seeds)
        seeds = list(islice(fresh, len(set(test_seeds))))
    shared = sorted(set(seeds or ()) & set(test_seeds))
    if unsplit and shared:
        raise BenchError(
            f"--seeds {','.join(map(str, seeds or ()))}: the test run uses {_list(shared)} too, "
            f"and without observations ({_names(unsplit)}) seeds alone keep the two apart; name "
            "others, or leave --seeds away"
        )
    return Draws(tuple(seeds or test_seeds), tuple(test_seeds), tuple(dict.fromkeys(unsplit)))


def _names(tasks: Sequence[str]) -> str:
    return ", ".join(f"task '{task}'" if task else "no task" for task in dict.fromkeys(tasks))


def _list(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
