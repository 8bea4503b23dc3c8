"""The rows of both sides in one frame: clean, renamed, filtered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from bench.compare.inputs import ResultSet
from bench.core.errors import BenchError
from bench.results.column import Use
from bench.results.frame import clean, with_params
from bench.results.places import FILES, names, places, with_names
from bench.results.protocol import without_round_off
from bench.results.schema import FILTERS, columns
from bench.stats.arrays import Flags


def join_results(
    base: ResultSet, head: ResultSet, renames: Sequence[tuple[str, str]], only: Sequence[str]
) -> pd.DataFrame:
    """Put the rows of both sides under one another, with clean types, renamed and filtered.

    Added are `head` (which side), `place` (which run), `curve` (label), `usable` (a number) and
    `evidence_params` (`metric_params` as they stand in the run). Files have names in the place of
    their digests: equal names where the files are equal, wherever they lie.

    Raises:
        BenchError: nothing fits ``only``, or a rename fits nothing.
    """
    before = clean_rows(base.frame).assign(head=False)
    after = clean_rows(head.frame).assign(head=True)
    called = {str(file["digest"]): str(file["name"]) for file in files_of(before, after)}
    before, after = with_names(before, called), with_names(after, called)
    for old, new in renames:
        before = _rename(before, after, old, new)
    rows = _filter(pd.concat([before, after], ignore_index=True), only)
    return rows.assign(curve=curve_labels(rows))


def files_of(base: pd.DataFrame, head: pd.DataFrame) -> tuple[Mapping[str, str], ...]:
    """The files that parameters of either side name: name, digest, and the place on each side."""
    before, after = (places(f[FILES].unique()) if FILES in f else {} for f in (base, head))
    called = names({**after, **before})
    return tuple(
        {
            "name": name,
            "digest": digest,
            "base": before.get(digest, ""),
            "head": after.get(digest, ""),
        }
        for digest, name in called.items()
    )


def clean_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with clean types and without round-off; no parameters are ``{}``."""
    rows = without_round_off(clean(frame))
    params = {name: rows[name].replace("", "{}") for name in columns(Use.PARAMETERS)}
    return rows.assign(
        **params,
        evidence_params=params["metric_params"],
        larger=rows["larger_is_better"],
        coupled=rows["batch_coupled"],
        place=frame["place"].to_numpy(),
    )


def curve_labels(rows: pd.DataFrame) -> pd.Series:
    """The sampler and its grid, for people."""
    pairs = rows[["sampler", "grid", "grid_params"]]
    distinct = pairs.drop_duplicates()
    labels = [
        f"{sampler} on {with_params(grid, params)}" if grid else sampler
        for sampler, grid, params in distinct.itertuples(index=False, name=None)
    ]
    table = distinct.assign(curve=labels)
    return pairs.merge(table, how="left", on=list(pairs.columns))["curve"].set_axis(rows.index)


def _rename(before: pd.DataFrame, after: pd.DataFrame, old: str, new: str) -> pd.DataFrame:
    """BASE with its solver, or its whole sampler, ``old`` called ``new``."""
    if before["solver"].eq(old).any() and after["solver"].eq(new).any():
        kept = before[~before["solver"].eq(new)]
        moved = kept["solver"].eq(old)
        labels = kept["sampler"].where(
            ~moved, kept["sampler"].str.replace(old, new, n=1, regex=False)
        )
        return kept.assign(solver=kept["solver"].where(~moved, new), sampler=labels)
    target = after[after["sampler"].eq(new)]
    if not before["sampler"].eq(old).any() or target.empty:
        known = ", ".join(sorted(set(before["sampler"]))[:12])
        raise BenchError(
            f"--rename {old}={new}: BASE has no sampler '{old}' or HEAD no '{new}'; "
            f"BASE has: {known}"
        )
    kept = before[~before["sampler"].eq(new)]
    moved = kept["sampler"].eq(old)
    kinds = ("solver", "corrector", "guidance")
    names = ("sampler", "denoising", *kinds, *(f"{kind}_params" for kind in kinds))
    first = target.iloc[0]
    return kept.assign(**{name: kept[name].where(~moved, first[name]) for name in names})


def _filter(rows: pd.DataFrame, only: Sequence[str]) -> pd.DataFrame:
    """The rows that fit.

    Raises:
        BenchError: a pattern, or all of them together, fit nothing on one of the sides.
    """
    kept = np.ones(len(rows), dtype=bool)
    patterns: dict[str, list[str]] = {}
    for text in only:
        name, equals, pattern = text.partition("=")
        if not equals or name not in FILTERS:
            raise BenchError(f"--only {text}: write FIELD=GLOB; fields are: {', '.join(FILTERS)}")
        patterns.setdefault(name, []).append(pattern)
    for name, globs in patterns.items():
        column = rows["budget" if name == "nfe" else name]
        values = column if column.dtype != float else column.map(lambda v: f"{v:g}")
        fits = np.zeros(len(rows), dtype=bool)
        for glob in globs:
            wanted = {v for v in values.unique() if fnmatchcase(v, glob)}
            one = values.isin(wanted).to_numpy()
            _check_both(rows, one, f"{name}={glob}")
            fits |= one
        kept &= fits
    _check_both(rows, kept, " ".join(only))
    return rows[kept].reset_index(drop=True)


def _check_both(rows: pd.DataFrame, kept: Flags, only: str) -> None:
    head = rows["head"].to_numpy(bool)
    lacking = [name for name, side in (("BASE", ~head), ("HEAD", head)) if not (kept & side).any()]
    if only and lacking:
        where = "neither BASE nor HEAD" if len(lacking) == 2 else f"no result of {lacking[0]}"
        raise BenchError(f"--only {only}: fits {where}, so there is nothing to compare")
