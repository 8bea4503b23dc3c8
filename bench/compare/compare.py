"""`bench compare`: from two sets of results to verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from bench.compare.curves import curves
from bench.compare.estimate import estimates
from bench.compare.gates import TIME, TIME_TOLERANCE, TOLERANCE, Gate, gate_of
from bench.compare.lost import lost_points, new_points
from bench.compare.overall import overall
from bench.compare.pairs import Paired, files_of, joined, pair
from bench.compare.refusal import refusals
from bench.compare.result import Comparison
from bench.compare.sides import Side
from bench.compare.times import timed
from bench.compare.verdict import verdicts
from bench.core.errors import BenchError
from bench.results.column import Use
from bench.results.frame import CURVE, NUMBER
from bench.results.schema import columns
from bench.stats.arrays import Flags
from bench.stats.significance import holm, p_values, samples_factor, t_half_widths

_PLACE = [
    *(*CURVE, *NUMBER),
    *("sampler", "curve", "unit"),
    *columns(Use.POINT),
    *("ranked", "larger"),
]


@dataclass(frozen=True)
class Question:
    """What the user asks.

    Attributes:
        metrics: names or globs; none: all that have a direction.
        gates: what must not get worse; none: every metric that has a direction.
        alpha: family-wise error, in (0, 1).
        only: FIELD=GLOB, as of `bench run`.
        renames: (old, new) names of solvers or samplers.
        times: whether sampling times are compared, too.
        targets: (metric, value) to reach.
        allow_lost: whether HEAD may lack points of BASE that it never ran.
    """

    metrics: Sequence[str] = ()
    gates: Sequence[Gate] = ()
    alpha: float = 0.05
    only: Sequence[str] = ()
    renames: Sequence[tuple[str, str]] = ()
    times: bool = False
    targets: Sequence[tuple[str, float]] = ()
    allow_lost: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BenchError(f"--alpha {self.alpha:g}: must lie between 0 and 1, such as 0.05")

    @property
    def about_times(self) -> bool:
        """Whether times are asked for, by themselves or by a gate."""
        return self.times or any(gate.pattern == TIME for gate in self.gates)


def compare(base: Side, head: Side, question: Question) -> Comparison:
    """Compare two sets of results.

    Where nothing, or nothing that a gate or metric names, could be compared, the result says so,
    and its exit code is no success.

    Raises:
        BenchError: a filter, gate, metric or target names nothing that there is.
    """
    rows = joined(base, head, question.renames, question.only)
    metrics = _metrics(rows, question)
    paired = pair(rows[rows["metric"].isin(metrics)].reset_index(drop=True))
    refused, reasons = refusals(paired)
    points = _points(paired, ~refused, base, head)
    if question.about_times:
        times, why = timed(rows)
        points, reasons = pd.concat([points, times], ignore_index=True), [*reasons, *why]
    points = _judged(points, question)
    lines = curves(points, paired, (base, head), question.targets, question.alpha)
    return Comparison(
        base=base.name,
        head=head.name,
        alpha=question.alpha,
        gates=tuple(question.gates),
        points=points,
        curves=lines,
        overall=overall(points, paired, question.alpha),
        refused=tuple(reasons),
        lost=lost_points(rows, metrics, question.gates, question.allow_lost),
        new=new_points(rows, metrics),
        unmet=tuple(_unmet(points, lines, question)),
        files=files_of(base.frame, head.frame),
    )


def _metrics(rows: pd.DataFrame, question: Question) -> list[str]:
    """The metrics that are compared.

    Raises:
        BenchError: a metric or gate that fits none.
    """
    names = [str(name) for name in rows["metric"].unique()]
    ranked = set(rows.loc[rows["ranked"], "metric"])
    for option, patterns in (
        ("--metric", question.metrics),
        ("--gate", [gate.pattern for gate in question.gates]),
        ("--target", [metric for metric, _ in question.targets]),
    ):
        for pattern in patterns:
            known = [*names, TIME]
            if not any(fnmatchcase(name, pattern) for name in known):
                raise BenchError(
                    f"{option} {pattern}: no result has such a metric; there are: "
                    f"{', '.join(sorted(known))}"
                )
    asked = {n for n in names if any(fnmatchcase(n, pattern) for pattern in question.metrics)}
    gated = {n for n in names if gate_of(n, question.gates) is not None}
    return [name for name in names if name in ((asked or ranked) | gated)]


def _unmet(points: pd.DataFrame, lines: pd.DataFrame, question: Question) -> Iterator[str]:
    """What was asked of numbers of which none could be compared."""
    compared = {str(name) for name in points["metric"].unique()}
    drawn = {str(name) for name in lines["metric"].unique()}
    for pattern in question.metrics:
        if not any(fnmatchcase(name, pattern) for name in compared):
            yield f"--metric {pattern}: none of its numbers could be compared"
    for i, gate in enumerate(question.gates):
        named = {name for name in compared if fnmatchcase(name, gate.pattern)}
        if not named:
            yield f"--gate {gate.text}: none of its numbers could be compared"
        elif not any(gate_of(name, question.gates[:i]) is None for name in named):
            yield f"--gate {gate.text}: decides nothing: gates before it name all that it names"
    for i, (pattern, _) in enumerate(question.targets):
        before = [earlier for earlier, _ in question.targets[:i]]
        if not any(fnmatchcase(n, pattern) and not _fits(n, before) for n in drawn):
            yield f"--target {pattern}: none of its curves could be compared"
    if question.times and TIME not in compared:
        yield "--times: no sampling time could be compared"


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _points(paired: Paired, comparable: Flags, base: Side, head: Side) -> pd.DataFrame:
    """One row for each compared point, with its estimate."""
    found = estimates(paired, comparable, base, head)
    chosen = paired.rows[paired.chosen & comparable[paired.rows["point"]]]
    firsts = chosen.drop_duplicates("point").set_index("point").loc[found.point]
    nfe = chosen.groupby(["point", "head"])["nfe"].mean().unstack("head").loc[found.point]
    seeds = chosen.groupby(["point", "head"]).size().unstack("head").loc[found.point]
    return (
        firsts[_PLACE]
        .assign(
            point=found.point,
            nfe_base=nfe[False] if len(found.point) else [],
            nfe_head=nfe[True] if len(found.point) else [],
            seeds=seeds.min(axis=1) if len(found.point) else [],
            base=found.base,
            head=found.head,
            std_error=found.std_error,
            freedom=found.freedom,
            basis=found.basis.astype(str),
            units=found.units,
            identical=found.identical,
        )
        .rename(columns={"tolerance": "ladder"})
        .reset_index(drop=True)
    )


def _judged(points: pd.DataFrame, question: Question) -> pd.DataFrame:
    """The points with intervals, p-values, verdicts and the samples that it would take."""
    difference = (points["head"] - points["base"]).to_numpy(dtype=float)
    error, freedom = points["std_error"].to_numpy(float), points["freedom"].to_numpy(float)
    larger, ranked = points["larger"].to_numpy(bool), points["ranked"].to_numpy(bool)
    identical = points["identical"].to_numpy(bool)
    gates = {name: gate_of(name, question.gates) for name in points["metric"].unique()}
    gated = points["metric"].map(lambda name: gates[name] is not None).to_numpy(bool)
    if not question.gates:
        gated = ranked & points["metric"].ne(TIME).to_numpy()
    used = {name: gate or _default(name) for name, gate in gates.items()}
    scale = np.where(
        points["metric"].map(lambda name: used[name].relative), points["base"].abs(), 1.0
    ).astype(float)
    tolerance = points["metric"].map(lambda name: used[name].tolerance).to_numpy(float) * scale
    loss = np.where(larger, -difference, difference)
    width = np.where(identical, 0.0, t_half_widths(error, freedom, question.alpha))
    p = p_values(difference, error, freedom)
    # What is the same to the last bit is no test: it cannot give a false alarm.
    family = pd.factorize(points["metric"])[0].astype(np.int64)
    tested = np.where(identical, np.nan, p)
    adjusted = holm(tested, family)
    tests = pd.Series(~np.isnan(tested)).groupby(family).transform("sum").to_numpy(float)
    found = verdicts(loss, width, adjusted, tolerance, identical, ranked, question.alpha)
    needed = points["units"] * samples_factor(error, tolerance, loss, tests, question.alpha)
    return points.assign(
        difference=difference,
        relative=difference / points["base"].abs().where(points["base"] != 0),
        low=difference - width,
        high=difference + width,
        p=p,
        p_holm=adjusted,
        family=tests,
        tolerance=tolerance,
        gated=gated,
        both=points["metric"].map(lambda name: used[name].both).astype(bool),
        needed=np.ceil(np.maximum(needed, points["units"])),
        verdict=[str(verdict) for verdict in found],
    )


def _default(metric: str) -> Gate:
    return Gate(metric, TIME_TOLERANCE if metric == TIME else TOLERANCE)
