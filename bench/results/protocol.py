"""Which columns two numbers must share before they may be compared."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.results.schema import SECTIONS

PROTOCOL: tuple[str, ...] = (
    "metric_n",
    *(
        column.name
        for section in SECTIONS
        if section.title == "The protocol"
        for column in section.columns
        if column.name != "started"
    ),
)
"""All that the report says about how a number came to be."""

QUALITY: tuple[str, ...] = (
    "metric_n",
    "samples",
    "dtype",
    "s_min",
    "s_max",
    "finish",
    "weights",
    "reference_hash",
)
"""Values of one metric are comparable where these agree."""

TIMING: tuple[str, ...] = (
    "device",
    "device_kind",
    "threads",
    "workers",
    "batch",
    "shard",
    "dtype",
    "torch",
)
"""Wall-clock times are comparable where these agree."""


def agreed(frame: pd.DataFrame, group: Sequence[str]) -> pd.DataFrame:
    """The frame with differences taken out of the protocol that do not matter.

    The ends of a grid carry round-off that differs from grid to grid: four digits of them count.
    Where a metric draws its reference with the seed, every seed has a hash of its own: then its
    place among the hashes of that seed counts.
    """
    usable = frame[frame["usable"]]
    seeded = usable[[*group, "seed", "reference_hash"]].drop_duplicates()
    of_hash = [*group, "reference_hash"]
    seeds = seeded.groupby(list(group), dropna=False)["seed"].transform("nunique")
    shared = seeded.groupby(of_hash, dropna=False)["seed"].transform("size")
    most = shared.groupby([seeded[name] for name in group], dropna=False).transform("max")
    place = seeded.groupby([*group, "seed"], dropna=False).cumcount().astype(str)
    own = most.eq(1) & seeds.gt(1)
    named = seeded.assign(agreed=seeded["reference_hash"].where(~own, place))
    return frame.merge(named, how="left", on=[*group, "seed", "reference_hash"]).assign(
        reference_hash=lambda rows: rows["agreed"],
        s_min=frame["s_min"].map(four_digits).to_numpy(),
        s_max=frame["s_max"].map(four_digits).to_numpy(),
    )


def numbered(
    frame: pd.DataFrame, usable: pd.Series, group: Sequence[str], columns: Sequence[str]
) -> pd.Series:
    """0, 1, 2, ... for the distinct combinations of `columns` in each group; -1 if not usable."""
    rows = frame.loc[usable.to_numpy(), [*group, *columns]]
    distinct = rows.drop_duplicates()
    number = distinct.groupby(list(group), dropna=False).cumcount()
    merged = rows.merge(distinct.assign(_number=number), how="left", on=[*group, *columns])
    values = pd.Series(merged["_number"].to_numpy(), index=usable.index[usable.to_numpy()])
    return values.reindex(usable.index, fill_value=-1).astype(int)


def four_digits(value: float) -> float:
    """The value, rounded to four significant digits."""
    return float(f"{value:.4g}")
