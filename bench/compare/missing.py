"""Points that only one of BASE and HEAD has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from bench.compare.formatting import records
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
    """Numbers of BASE that HEAD lacks: a cell failed there, or was not run.

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
    lacking = _with_status(gone, rows[head])
    never_ran = lacking["status"].eq(NEVER_RAN)
    # Other seeds are no loss where HEAD has the point.
    has = codes(rows, POINT)
    points = frozenset(has[(head & rows["usable"]).to_numpy()])
    elsewhere = np.isin(has[gone.index], list(points))
    found = lacking[~(never_ran & elsewhere)]
    counted = found.groupby(_GROUP, sort=False).size().rename("points").reset_index()
    may_lack = NEVER_RAN if allowed else None
    return tuple(
        MissingPoints(**row, gated=row["status"] != may_lack and _is_gated(row["metric"], gates))
        for row in records(counted)
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
    """The numbers that HEAD lacks with what became of its cell.

    A metric that failed has a row of its plugin's name in place of its numbers; a cell that failed
    has nothing but such rows.
    """
    bad = head[head["status"].ne(Status.OK)]
    what = ["status", "reason"]
    of_plugin = ["cell", "metric_plugin", "metric_params"]
    dead = bad.groupby("cell").size().eq(head.groupby("cell").size())
    fatal = bad[bad["cell"].map(dead).astype(bool) & bad["status"].ne(Status.UNSUPPORTED)]
    lacking = gone[["cell", "suite", "model", "curve", *NUMBER, "metric_plugin"]]
    lacking = lacking.assign(status=None, reason=None)
    for rows, place in ((bad, ["cell", *NUMBER]), (bad, of_plugin), (fatal, ["cell"])):
        first = rows.drop_duplicates(place)[[*place, *what]]
        found = lacking[place].merge(first, how="left", on=place).set_index(lacking.index)
        lacking = lacking.assign(**{name: lacking[name].fillna(found[name]) for name in what})
    return lacking.assign(
        status=lacking["status"].fillna(NEVER_RAN),
        reason=lacking["reason"].fillna("HEAD has no such result"),
    )


def _is_gated(metric: str, gates: Sequence[Gate]) -> bool:
    # With its numbers a cell's time is lacking, too.
    return not gates or any(fnmatchcase(name, g.pattern) for name in (metric, TIME) for g in gates)
