"""From the results as they were stored to the data of figures and tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bench.extensions.data import RunData, SubjectData
from bench.render.labels import slug
from bench.report.data.common_problems import common_problems
from bench.report.data.problems import problems
from bench.report.source import ReportSource
from bench.results.array_file import read_kept
from bench.results.frame import Subject, points, prepare_frame, subjects, with_params
from bench.results.places import names_in

IMAGES_PER_REPORT = 1000
"""Images of 28 by 28 pixels that a page has room for; larger ones count by their pixels."""


def prepare(source: ReportSource) -> RunData:
    """Prepare a run: clean rows, means, subjects, and the problems that samplers share."""
    raw = source.rows
    if source.base is not None:
        raw = pd.concat([raw, source.base.rows], ignore_index=True)
    both = prepare_frame(raw)  # together, so that protocols are numbered alike in both
    own = np.arange(len(both)) < len(source.rows)
    rows = both[own].reset_index(drop=True)
    found = list(subjects(rows))
    base = dict(subjects(both[~own].reset_index(drop=True)))
    images = IMAGES_PER_REPORT // max(1, len(found))
    return RunData(
        folder=source.folder,
        rows=rows,
        points=points(rows),
        subjects=tuple(
            _subject(source.folder, f"{i:02d}-{slug(s.name)}", s, part, base.get(s), images)
            for i, (s, part) in enumerate(found, start=1)
        ),
        common=common_problems(problems(rows)) if len(found) > 1 else (),
        names=names_in(raw),
    )


def _subject(
    folder: Path,
    name: str,
    subject: Subject,
    rows: pd.DataFrame,
    base: pd.DataFrame | None,
    images: int,
) -> SubjectData:
    return SubjectData(
        title=subject.title,
        name=name,
        suite=subject.suite,
        model=with_params(subject.model, subject.model_params),
        process=with_params(subject.process, subject.process_params),
        rows=rows,
        points=points(rows),
        timed=points(rows, "hardware"),
        base_points=None if base is None else points(base),
        base_timed=None if base is None else points(base, "hardware"),
        samples=folder / "samples",
        kept=partial(read_kept, folder),
        images=images,
    )
