"""`bench compare`: from two sets of results to verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.compare.aggregates import aggregates
from bench.compare.curves import curves
from bench.compare.estimate import estimates
from bench.compare.gates import TIME, TIME_TOLERANCE, TOLERANCE, Gate, gate_of
from bench.compare.inputs import ResultSet
from bench.compare.missing import missing_points, new_points
from bench.compare.pairs import Pairs, pair_points
from bench.compare.question import CompareOptions, select_metrics, unmet
from bench.compare.refusal import refusals
from bench.compare.result import Comparison
from bench.compare.rows import files_of, join_results
from bench.compare.times import compare_times
from bench.compare.verdict import verdicts
from bench.results.column import Use
from bench.results.frame import CURVE, NUMBER
from bench.results.schema import columns
from bench.stats.arrays import Flags
from bench.stats.significance import holm, p_values, samples_factor, t_half_widths

_POINT = [
    *(*CURVE, *NUMBER),
    *("sampler", "curve", "unit"),
    *columns(Use.POINT),
    *("ranked", "larger"),
]


def compare(base: ResultSet, head: ResultSet, question: CompareOptions) -> Comparison:
    """Compare two sets of results.

    Where nothing, or nothing that a gate or metric names, could be compared, the result says so,
    and its exit code is no success.

    Raises:
        BenchError: a filter, gate, metric or target names nothing that there is.
    """
    rows = join_results(base, head, question.renames, question.only)
    metrics = select_metrics(rows, question)
    pairs = pair_points(rows[rows["metric"].isin(metrics)].reset_index(drop=True))
    refused, reasons = refusals(pairs)
    points = _points(pairs, ~refused, (base, head))
    if question.about_times:
        times, why = compare_times(rows)
        points, reasons = pd.concat([points, times], ignore_index=True), [*reasons, *why]
    points = _judge(points, question)
    whole = curves(points, pairs, (base, head), question.targets, question.alpha)
    return Comparison(
        base=base.name,
        head=head.name,
        alpha=question.alpha,
        gates=tuple(question.gates),
        points=points,
        curves=whole,
        overall=aggregates(points, pairs, question.alpha),
        refused=tuple(reasons),
        missing=missing_points(rows, metrics, question.gates, question.allow_lost),
        new=new_points(rows, metrics),
        unmet=tuple(unmet(points, whole, question)),
        files=files_of(base.frame, head.frame),
    )


def _points(pairs: Pairs, comparable: Flags, inputs: tuple[ResultSet, ResultSet]) -> pd.DataFrame:
    """One row for each compared point, with its estimate."""
    found = estimates(pairs, comparable, inputs)
    rows = pairs.rows[pairs.chosen & comparable[pairs.rows["point"]]]
    side = rows.groupby(["point", "head"])
    nfe = side["nfe"].mean().unstack("head").reindex(columns=[False, True])
    points = (
        rows.drop_duplicates("point")
        .set_index("point")[_POINT]
        .assign(
            nfe_base=nfe[False],
            nfe_head=nfe[True],
            seeds=side.size().unstack("head").min(axis=1),
        )
    )
    joined = points.loc[found.index].join(found).rename(columns={"tolerance": "ladder"})
    return joined.rename_axis("point").reset_index()


def _judge(points: pd.DataFrame, question: CompareOptions) -> pd.DataFrame:
    """The points with intervals, p-values, verdicts and the samples that it would take."""
    alpha, ranked = question.alpha, points["ranked"].to_numpy(bool)
    base, identical = points["base"], points["identical"].to_numpy(bool)
    difference = (points["head"] - base).to_numpy(dtype=float)
    error, freedom = points["std_error"].to_numpy(float), points["freedom"].to_numpy(float)
    gates, gated = _gates(points, question)
    tolerance = gates.map(lambda gate: gate.tolerance).to_numpy(float)
    relative = gates.map(lambda gate: gate.relative)
    tolerance = tolerance * np.where(relative, base.abs(), 1.0).astype(float)
    loss = np.where(points["larger"].to_numpy(bool), -difference, difference)
    width = np.where(identical, 0.0, t_half_widths(error, freedom, alpha))
    p = p_values(difference, error, freedom)
    # What is the same to the last bit is no test: it cannot give a false alarm.
    family = pd.factorize(points["metric"])[0].astype(np.int64)
    tested = np.where(identical, np.nan, p)
    adjusted = holm(tested, family)
    tests = pd.Series(~np.isnan(tested)).groupby(family).transform("sum").to_numpy(float)
    found = verdicts(loss, width, adjusted, tolerance, identical, ranked, alpha)
    needed = points["units"] * samples_factor(error, tolerance, loss, tests, alpha)
    return points.assign(
        difference=difference,
        relative=difference / base.abs().where(base != 0),
        low=difference - width,
        high=difference + width,
        p=p,
        p_holm=adjusted,
        family=tests,
        tolerance=tolerance,
        gated=gated,
        both=gates.map(lambda gate: gate.both).astype(bool),
        needed=np.ceil(np.maximum(needed, points["units"])),
        verdict=[str(verdict) for verdict in found],
    )


def _gates(points: pd.DataFrame, question: CompareOptions) -> tuple[pd.Series, Flags]:
    """The gate of each point, a default where none fits; and whether it decides the exit code."""
    metrics = points["metric"]
    own = {name: gate_of(name, question.gates) for name in metrics.unique()}
    used = {
        name: gate or Gate(name, TIME_TOLERANCE if name == TIME else TOLERANCE)
        for name, gate in own.items()
    }
    gated = metrics.map(lambda name: own[name] is not None).to_numpy(bool)
    if not question.gates:
        gated = points["ranked"].to_numpy(bool) & metrics.ne(TIME).to_numpy()
    return metrics.map(used), gated
