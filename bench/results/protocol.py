"""The columns that two numbers must share before they may be compared."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.results.column import Use
from bench.results.schema import columns

PROTOCOL = columns(Use.PROTOCOL, Use.QUALITY, Use.TIMING)
"""All that the report says about how a number came to be."""

QUALITY = columns(Use.QUALITY)
"""Values of one metric are comparable where these agree."""

MACHINE = columns(Use.MACHINE)
"""The machine, which is the same for all cells of a run."""

TIMING = tuple(sorted(columns(Use.TIMING), key=lambda name: name not in MACHINE))
"""Wall-clock times are comparable where these agree; the machine first, since it decides most."""

_ROUNDED = columns(Use.ROUNDED)


def without_chance(frame: pd.DataFrame, group: Sequence[str]) -> pd.DataFrame:
    """Return the frame without differences of protocol that chance makes.

    Round-off is one. Another: where a metric draws its reference with the seed, every seed has a
    hash of its own; then its place among the hashes of that seed counts.
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
    merged = frame.merge(named, how="left", on=[*group, "seed", "reference_hash"])
    return without_round_off(merged).assign(reference_hash=merged["agreed"])


def without_round_off(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with four digits of the columns that carry round-off.

    The ends of a grid do, and it differs from grid to grid.
    """
    distinct = {name: frame[name].unique() for name in _ROUNDED}
    digits = {name: {v: _four_digits(v) for v in values} for name, values in distinct.items()}
    return frame.assign(**{name: frame[name].map(found) for name, found in digits.items()})


def number_groups(
    frame: pd.DataFrame, usable: pd.Series, group: Sequence[str], protocol: Sequence[str]
) -> pd.Series:
    """Number the distinct combinations of `protocol` in each group from 0; -1 if not usable."""
    rows = frame.loc[usable.to_numpy(), [*group, *protocol]]
    distinct = rows.drop_duplicates()
    number = distinct.groupby(list(group), dropna=False).cumcount()
    merged = rows.merge(distinct.assign(_number=number), how="left", on=[*group, *protocol])
    values = pd.Series(merged["_number"].to_numpy(), index=usable.index[usable.to_numpy()])
    return values.reindex(usable.index, fill_value=-1).astype(int)


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")
