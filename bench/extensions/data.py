"""Data that figures of the report are drawn from. Loads no pandas and no numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

OVERALL = "Over all models"
"""Heading of the section across all subjects."""


@dataclass(frozen=True)
class SubjectData:
    """A model under a process within a suite.

    Attributes:
        title: heading of its section.
        name: fit for names of files.
        suite: its name.
        model: with the parameters that differ from their defaults.
        process: likewise.
        rows: a row for each number of each cell, see `bench.results.frame.prepare_frame`.
        points: means over seeds, the rows of ``points.csv``.
        timed: the same, rows of different hardware kept apart.
        base_points: ``points`` of the run that this one is compared with; None without.
        base_timed: ``timed`` of that run.
        samples: folder of the samples of cells, a file for each key.
        kept: what is kept of the cell with a key: ``samples`` (n, *shape), bytes of images or
            points, and under a task with observations ``number`` (n,) of the question that each
            answers, ``observation`` and ``truth`` (n, *shape), and ``exact`` (questions, m, d),
            samples of the exact posteriors of the first questions; what is known of these.
        images: how many images of 28 by 28 pixels a figure has room for.
    """

    title: str
    name: str
    suite: str
    model: str
    process: str
    rows: pd.DataFrame
    points: pd.DataFrame
    timed: pd.DataFrame
    base_points: pd.DataFrame | None
    base_timed: pd.DataFrame | None
    samples: Path
    kept: Callable[[str], Mapping[str, npt.NDArray[Any]]]
    images: int


@dataclass(frozen=True)
class CommonProblems:
    """Samplers that have all run on the same problems: subjects, metrics and budgets.

    Attributes:
        name: the metric, or what several have in common.
        metrics: of the problems.
        curves: the samplers.
        subjects: how many.
        costs: (samplers, problems), of the means over seeds; infinite where not solved.
        seeds: (samplers, seeds, problems), the cost of each seed.
        reached: (samplers, pairs of task and target), the least NFE; infinite where never.
        others: samplers that have run on some of the problems.
        refused: how many of these a metric does not support.
        problems_left: problems of these metrics that not all of the samplers have run on.
        without_ratio: subjects and metrics left out since a value is not positive.
    """

    name: str
    metrics: tuple[str, ...]
    curves: tuple[str, ...]
    subjects: int
    costs: npt.NDArray[np.float64]
    seeds: npt.NDArray[np.float64]
    reached: npt.NDArray[np.float64]
    others: tuple[str, ...]
    refused: int
    problems_left: int
    without_ratio: int


@dataclass(frozen=True)
class RunData:
    """All results of a run.

    Attributes:
        folder: of the results.
        rows: of all subjects.
        points: of all subjects.
        subjects: in the order of the page.
        common: samplers over many subjects; empty where none share any.
        names: what the files that parameters name are called, by digest.
    """

    folder: Path
    rows: pd.DataFrame
    points: pd.DataFrame
    subjects: tuple[SubjectData, ...]
    common: tuple[CommonProblems, ...]
    names: Mapping[str, str]
