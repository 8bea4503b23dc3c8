"""The tidy table, ready for figures: clean columns, curves, protocols and points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.results.column import Use
from bench.results.places import with_names
from bench.results.protocol import QUALITY, TIMING, number_groups, without_chance
from bench.results.roles import exact_partners, fill_roles
from bench.results.schema import COLUMNS, Status, columns
from bench.stats.intervals import half_widths

SUBJECT = columns(Use.SUBJECT)
"""The keys that all curves of a figure have in common."""

CURVE = columns(Use.SUBJECT, Use.CURVE)
"""The keys of a curve besides the metric; an adaptive solver's has its ladder in it."""

NUMBER = columns(Use.NUMBER)
"""The keys that tell the numbers of a cell apart."""

CELL = ("curve", "solver_kind", "stochastic", *columns(Use.POINT))
"""The columns that, within a figure, tell points apart; seeds are averaged over."""

_NUMBER = tuple(dict.fromkeys(("metric", "role", "belongs_to", *columns(Use.MEANING), "ranked")))

_TYPES = {column.name: column.type for column in COLUMNS}


@dataclass(frozen=True)
class Subject:
    """A model under a process within a suite: what a figure is about."""

    suite: str
    model: str
    model_params: str
    task: str
    task_params: str
    process: str
    process_params: str

    @property
    def model_and_task(self) -> str:
        """Model and task, with parameters that differ from the defaults."""
        task = with_params(self.task, self.task_params)
        return ", ".join(filter(None, (with_params(self.model, self.model_params), task)))

    @property
    def title(self) -> str:
        """Suite, model, task and process, with parameters that differ from the defaults."""
        return (
            f"{self.suite}: {self.model_and_task}, {with_params(self.process, self.process_params)}"
        )

    @property
    def name(self) -> str:
        """The same without parameters, for file names."""
        return "-".join(filter(None, (self.suite, self.model, self.task, self.process)))


def with_params(name: str, params: str) -> str:
    """Return a plugin's name, followed by its parameters where there are any; "" for none."""
    try:
        values = json.loads(params or "{}")
    except ValueError:
        return f"{name} {params}"
    inner = ", ".join(f"{key}={value}" for key, value in dict(values).items())
    return f"{name}({inner})" if inner else name


def prepare_frame(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the results with clean types and the columns that figures need.

    Besides those of the schema and of `clean` they are `curve` (label of the line), its parts
    `base` (without the corrector), `with_corrector`, `unguided`, `with_guidance` and `on_grid`,
    `stochastic`, `evaluations` (NFE without the final denoise), `wall_per_sample_s`, and the
    numbers `protocol` and `hardware`, which tell apart what must not be compared.
    """
    frame = with_names(fill_roles(clean(raw)))
    frame["curve"] = _curves(frame)
    frame = frame.join(_parts(frame))
    frame["stochastic"] = frame["solver_kind"].eq("predictor") | frame["corrector"].ne("")
    frame["evaluations"] = frame["nfe"] - frame["nfe_finish"].fillna(0.0)
    frame["wall_per_sample_s"] = frame["sample_wall_s"] / frame["samples"].where(
        frame["samples"] > 0
    )
    group = (*SUBJECT, "metric")
    frame["protocol"] = number_groups(without_chance(frame, group), frame["usable"], group, QUALITY)
    frame["hardware"] = number_groups(frame, frame["usable"], group, TIMING)
    return frame


def points(frame: pd.DataFrame, *apart: str) -> pd.DataFrame:
    """Average all usable numbers over seeds: one row for each point of a curve.

    Rows of different protocols are never averaged. Columns named in `apart` keep rows apart, too.
    """
    usable = frame[frame["usable"]]
    keys = [*SUBJECT, *CELL, *_NUMBER, "protocol", *apart]
    means = usable.groupby(keys, dropna=False, sort=False, observed=True, as_index=False).agg(
        value=("value", "mean"),
        deviation=("value", "std"),
        seeds=("value", "size"),
        std_error=("std_error", "mean"),
        nfe=("nfe", "mean"),
        depth=("depth", "mean"),
        evaluations=("evaluations", "mean"),
        wall_per_sample_s=("wall_per_sample_s", "mean"),
        over_budget=("over_budget", "any"),
        metric_n=("metric_n", "first"),
        dtype=("dtype", "first"),
    )
    spread = (means[name].to_numpy(dtype=float) for name in ("seeds", "deviation", "std_error"))
    means["half_width"], means["interval"] = half_widths(*spread)
    means = means.drop(columns="deviation")
    means["low"] = means["value"] - means["half_width"]
    means["high"] = means["value"] + means["half_width"]
    means["rank"] = _ranks(means)
    return means


def _ranks(means: pd.DataFrame) -> pd.Series:
    """Return what is least for the best point: the value, turned, or its distance to the exact."""
    rank = means["value"].where(~means["larger_is_better"], -means["value"])
    keys = [*SUBJECT, *CELL]
    for metric, partner in exact_partners(means).items():
        exact = means[means["metric"].eq(partner)].groupby(keys, dropna=False)["value"].mean()
        rows = means.loc[means["metric"].eq(metric), [*keys, "value"]]
        beside = rows.merge(exact.rename("exact").reset_index(), how="left", on=keys)
        distance = (beside["value"] - beside["exact"]).abs().set_axis(rows.index)
        # Other models, which have no closed form, have no exact value of the same metric.
        rank.loc[rows.index] = distance.fillna(rank[rows.index])
    return rank


def subjects(frame: pd.DataFrame) -> Iterator[tuple[Subject, pd.DataFrame]]:
    """Yield the parts of a frame that belong to one figure each, in order of first appearance."""
    for key, part in frame.groupby(list(SUBJECT), dropna=False, sort=False, observed=True):
        yield Subject(*map(str, key)), part


def clean(raw: pd.DataFrame, names: Iterable[str] = tuple(_TYPES)) -> pd.DataFrame:
    """Return columns of the table with clean types, those that are missing too.

    Missing text is empty, missing numbers are NaN, missing flags are False. Added are `usable` (a
    finite value with status ok) and `ranked` (not a diagnostic). `nfe` is what a budget pays for:
    vector-Jacobian products are added to it.

    Args:
        raw: rows of results, of this version or an earlier one.
        names: the columns; `status`, `value` and `larger_is_better` are read besides.
    """
    frame = pd.DataFrame({name: _clean_column(raw, name) for name in names})
    if "nfe" in frame:
        frame["nfe"] += _clean_column(raw, "vjp").fillna(0.0)
    ok = _clean_column(raw, "status").eq(Status.OK).to_numpy()
    frame["usable"] = ok & np.isfinite(_clean_column(raw, "value").to_numpy())
    # A direction that is missing is a diagnostic: no value of it is better than another.
    frame["ranked"] = raw["larger_is_better"].notna().to_numpy()
    return frame.reset_index(drop=True)


def _clean_column(raw: pd.DataFrame, name: str) -> pd.Series[Any]:
    values = raw[name] if name in raw else pd.Series(None, raw.index, dtype=object)
    if _TYPES[name] == pa.string():
        if isinstance(values.dtype, pd.StringDtype):  # a tenth of the time of what follows
            return values.fillna("").astype(str)
        return values.astype(object).where(values.notna(), "").astype(str)
    if _TYPES[name] == pa.bool_():
        return values.eq(True).fillna(False).astype(bool)
    return pd.to_numeric(values, errors="coerce").astype(float)


def _parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each row the curve without corrector or guidance, and these and the grid."""
    kinds = ("corrector", "guidance", "grid")
    columns = ["curve", *(name for kind in kinds for name in (kind, f"{kind}_params"))]
    made = {}
    for row in frame[columns].drop_duplicates().itertuples(index=False, name=None):
        curve, *texts = map(str, row)
        added, guide, grid = map(with_params, texts[::2], texts[1::2])
        base = curve.replace(f" + {added}", "", 1) if added else curve
        unguided = curve.replace(f" with {guide}", "", 1) if guide else curve
        made[row] = (base, added or "none", unguided, guide or "none", grid or "none")
    found = [made[row] for row in frame[columns].itertuples(index=False, name=None)]
    names = ["base", "with_corrector", "unguided", "with_guidance", "on_grid"]
    return pd.DataFrame(found, index=frame.index, columns=names)


def _curves(frame: pd.DataFrame) -> pd.Series:
    """Return the sampler, with its grid where one runs on several grids under one subject."""
    pairs = frame[["grid", "grid_params"]].drop_duplicates()
    labels = {pair: with_params(*pair) for pair in pairs.itertuples(index=False, name=None)}
    grid = pd.Series(
        [labels[pair] for pair in zip(frame["grid"], frame["grid_params"], strict=True)],
        index=frame.index,
        dtype=object,
    )
    single = grid.groupby([frame[name] for name in (*SUBJECT, "sampler")]).nunique().le(1).all()
    on_grid = grid.where(grid.eq(""), " on " + grid)  # adaptive solvers have none
    return frame["sampler"] if single else frame["sampler"] + on_grid
