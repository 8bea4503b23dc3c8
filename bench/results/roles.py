"""The meaning of the numbers of a table: as their metrics declared it, never by their names.

All functions take rows or points with the columns `metric`, `role` and `belongs_to`.
"""

from __future__ import annotations

import pandas as pd

from bench.core.role import Role

_BESIDE = (Role.EXACT.value, Role.REFERENCE.value)


def primary(frame: pd.DataFrame) -> list[str]:
    """Return the metrics that judge a sampler, in their order: all but those that judge another.

    Beside `rmse` stands `rmse_reference`, the error of what it is measured against.
    """
    return list(frame.loc[~frame["role"].isin(_BESIDE), "metric"].unique())


def exact_partners(frame: pd.DataFrame) -> dict[str, str]:
    """Return by metric the one that gives its exact value: of `nll_nats`, `nll_exact_nats`."""
    return _partners(frame, Role.EXACT)


def references(frame: pd.DataFrame) -> dict[str, str]:
    """Return by metric the one that gives the error of what it is measured against."""
    return _partners(frame, Role.REFERENCE)


def errors(frame: pd.DataFrame) -> frozenset[str]:
    """Return the metrics that are distances to the exact solution, and so have an order."""
    return frozenset(frame.loc[frame["role"].eq(Role.ERROR.value), "metric"])


def with_own_error(frame: pd.DataFrame) -> frozenset[str]:
    """Return the metrics of which another is the error: `nll_nats`, which has `nll_error_nats`."""
    return frozenset(frame.loc[frame["role"].eq(Role.ERROR.value), "belongs_to"]) - {""}


def fill_roles(frame: pd.DataFrame) -> pd.DataFrame:
    """Give rows without a number the meaning that the same metric's numbers have elsewhere.

    A cell or a metric that failed has a row of the metric's name, and nothing to tell a role by.
    Columns besides those of the role are `larger_is_better` and `ranked`.
    """
    columns = ["role", "belongs_to", "larger_is_better", "ranked"]
    known = frame[frame["role"].ne("")].drop_duplicates("metric").set_index("metric")[columns]
    bare = frame["role"].eq("") & frame["metric"].isin(known.index)
    if not bare.any():
        return frame
    meaning = known.reindex(frame.loc[bare, "metric"])
    copy = frame.copy()
    for name in columns:
        copy.loc[bare, name] = meaning[name].to_numpy()
    return copy


def _partners(frame: pd.DataFrame, role: Role) -> dict[str, str]:
    declared = frame.loc[frame["role"].eq(role.value), ["metric", "belongs_to"]].drop_duplicates()
    there = frozenset(frame["metric"])
    pairs = declared.itertuples(index=False, name=None)
    return {str(owner): str(metric) for metric, owner in pairs if owner in there}
