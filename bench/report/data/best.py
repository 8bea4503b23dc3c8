"""The best value of each subject, metric and protocol."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.render.labels import letters, metric_label, number, with_half_width
from bench.results.frame import SUBJECT, Subject
from bench.results.roles import exact_partners, primary


@dataclass(frozen=True)
class BestValue:
    """The best mean of one metric of one subject."""

    subject: Subject
    metric: str
    label: str
    letter: str
    value: float
    half_width: float
    curve: str
    nfe: float
    wall_per_sample_s: float

    @property
    def text(self) -> str:
        """The value with its interval."""
        return with_half_width(self.value, self.half_width)

    @property
    def nfe_text(self) -> str:
        """The measured NFE."""
        return "–" if math.isnan(self.nfe) else f"{self.nfe:.0f}"

    @property
    def wall_text(self) -> str:
        """Milliseconds per sample."""
        return number(self.wall_per_sample_s * 1e3)


def best_values(points: pd.DataFrame) -> tuple[BestValue, ...]:
    """Find the best point of each subject, metric and protocol."""
    shown = points[points["metric"].isin(primary(points))]
    ranked = shown[shown["ranked"] | _has_exact(shown, points)]
    if ranked.empty:
        return ()
    groups = ranked.groupby([*SUBJECT, "metric", "protocol"], sort=False, dropna=False)
    best = ranked.loc[groups["rank"].idxmin()]
    # with `protocol` 0, 1, ... under each subject and metric, its place is its letter
    count = best.groupby([*SUBJECT, "metric"], dropna=False)["protocol"].transform("size")
    names = [letters(n)[p] for n, p in zip(count, best["protocol"], strict=True)]
    return tuple(_best(row) for row in best.assign(letter=names).to_dict("records"))


def _has_exact(rows: pd.DataFrame, points: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """True where the same subject has the metric's exact value, which another may lack."""
    keys = [*SUBJECT, "metric"]
    partners = rows.assign(metric=rows["metric"].map(exact_partners(points)))
    return pd.MultiIndex.from_frame(partners[keys]).isin(pd.MultiIndex.from_frame(points[keys]))


def _best(row: Mapping[Hashable, Any]) -> BestValue:
    return BestValue(
        subject=Subject(*(str(row[column]) for column in SUBJECT)),
        metric=str(row["metric"]),
        label=metric_label(str(row["metric"]), str(row["unit"])),
        letter=str(row["letter"]),
        value=float(row["value"]),
        half_width=float(row["half_width"]),
        curve=str(row["curve"]),
        nfe=float(row["nfe"]),
        wall_per_sample_s=float(row["wall_per_sample_s"]),
    )


def best_frame(best: tuple[BestValue, ...]) -> pd.DataFrame:
    """Make the table for a CSV file."""
    return pd.DataFrame(
        {
            "subject": one.subject.title,
            "metric": one.metric,
            "protocol": one.letter,
            "value": one.value,
            "half_width": one.half_width,
            "nfe": one.nfe,
            "wall_per_sample_s": one.wall_per_sample_s,
            "curve": one.curve,
        }
        for one in best
    )
