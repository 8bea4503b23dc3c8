"""What BASE has and HEAD has not, and the other way round."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from bench.compare.gates import TIME, Gate
from bench.compare.pairs import POINT, codes
from bench.compare.result import NEVER_RAN, MissingPoints
from bench.results.column import Use
from bench.results.frame import NUMBER
from bench.results.schema import Status, columns

_CELL = columns(Use.SUBJECT, Use.CURVE, Use.POINT, Use.REPLICATE)
_GROUP = ["suite", "model", "curve", "metric", "status", "reason"]


def missing_points(
    rows: pd.DataFrame, metrics: Collection[str], gates: Sequence[Gate], allowed: bool = False
) -> tuple[MissingPoints, ...]:
    """Numbers of BASE that HEAD has not: because a cell failed there, or was not run.

    Args:
        rows: all rows of both sides, with `head`, `usable` and `curve`.
        metrics: those that are compared.
        gates: what fails the comparison; none: every metric.
        allowed: whether HEAD may lack what it never ran.
    """
    rows = rows.assign(cell=codes(rows, _CELL), number=codes(rows, (*_CELL, *NUMBER)))
    head = rows["head"]
    there = rows.loc[head & rows["usable"], "number"]
    wanted = rows["metric"].isin(list(metrics))
    gone = rows[~head & rows["usable"] & wanted & ~rows["number"].isin(there)]
    if gone.empty:
        return ()
    told = _with_status(gone, rows[head])
    missing = told["status"].eq(NEVER_RAN)
    # Other seeds are no loss where HEAD has the point.
    has = codes(rows, POINT)
    points = frozenset(has[(head & rows["usable"]).to_numpy()])
    elsewhere = np.isin(has[gone.index], list(points))
    found = told[~(missing & elsewhere)]
    counted = found.groupby(_GROUP, sort=False).size().rename("points").reset_index()
    return tuple(
        MissingPoints(
            row["suite"],
            row["model"],
            row["curve"],
            row["metric"],
            row["status"],
            row["reason"],
            row["points"],
            not (allowed and row["status"] == NEVER_RAN) and _gated(row["metric"], gates),
        )
        for row in counted.to_dict("records")
    )


def new_points(rows: pd.DataFrame, metrics: Collection[str]) -> pd.DataFrame:
    """Curves and metrics that only HEAD has: suite, model, curve, metric and number of points."""
    place = ["suite", "model", "curve", "metric"]
    used = rows[rows["usable"] & rows["metric"].isin(list(metrics))]
    code = codes(used, POINT)
    old = np.unique(code[~used["head"].to_numpy()])
    new = used[~np.isin(code, old)]
    return new.groupby(place, sort=False).size().rename("points").reset_index()


def _with_status(gone: pd.DataFrame, head: pd.DataFrame) -> pd.DataFrame:
    """The lost numbers with what became of HEAD's cell.

    A metric that failed has a row of its plugin's name in place of its numbers; a cell that failed
    has nothing but such rows.
    """
    bad = head[head["status"].ne(Status.OK)]
    what = ["status", "reason"]
    of_plugin = ["cell", "metric_plugin", "metric_params"]
    dead = bad.groupby("cell").size().eq(head.groupby("cell").size())
    fatal = bad[bad["cell"].map(dead).astype(bool) & bad["status"].ne(Status.UNSUPPORTED)]
    lost = gone[["cell", "suite", "model", "curve", *NUMBER, "metric_plugin"]]
    lost = lost.assign(status=None, reason=None)
    for rows, place in ((bad, ["cell", *NUMBER]), (bad, of_plugin), (fatal, ["cell"])):
        first = rows.drop_duplicates(place)[[*place, *what]]
        found = lost[place].merge(first, how="left", on=place).set_index(lost.index)
        lost = lost.assign(**{name: lost[name].fillna(found[name]) for name in what})
    return lost.assign(
        status=lost["status"].fillna(NEVER_RAN),
        reason=lost["reason"].fillna("HEAD has no such result"),
    )


def _gated(metric: str, gates: Sequence[Gate]) -> bool:
    # With its numbers a cell's time is lost, too.
    return not gates or any(fnmatchcase(name, g.pattern) for name in (metric, TIME) for g in gates)
