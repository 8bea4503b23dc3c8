"""Findings against simulations, and curves of rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bench_claims.inference import Question, above, answer, below, difference, reach, slopes
from bench_claims.rows import Curve, Rows
from bench_claims.verdict import Finding, Outcome, Verdict


def _curve(values: list[list[float]], nfe: list[float], seeds: list[float]) -> Curve:
    x = np.array(nfe)
    return Curve(x, x, np.array(values), np.array(seeds))


def test_all_intervals_of_a_claim_hold_at_once() -> None:
    draws = np.random.default_rng(0)
    missed = 0
    for _ in range(600):
        questions = [Question(str(i), draws.normal(1.0, 0.3, 5), below(0.0)) for i in range(4)]
        missed += any(not f.low <= 1.0 <= f.high for f in answer(questions))
    assert missed / 600 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)
    assert missed > 0


def test_an_effect_of_the_detectable_size_is_seen_nine_times_in_ten() -> None:
    draws = np.random.default_rng(1)
    sizes = [
        answer([Question("", draws.normal(0.0, 1.0, 12), below(0.0))])[0].detectable
        for _ in range(300)
    ]
    effect = float(np.mean(sizes))
    seen = sum(
        answer([Question("", draws.normal(effect, 1.0, 12), below(0.0))])[0].outcome
        is Outcome.FAILS
        for _ in range(600)
    )
    assert seen / 600 == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (above(0.5), Outcome.HOLDS),
        (below(0.5), Outcome.FAILS),
        ((0.9, 1.1), Outcome.HOLDS),
        ((1.0, 2.0), Outcome.UNDECIDED),
        ((2.0, 3.0), Outcome.FAILS),
    ],
)
def test_regions(region: tuple[float, float], expected: Outcome) -> None:
    values = np.array([0.99, 1.0, 1.01, 1.0, 0.995])
    assert answer([Question("", values, region)])[0].outcome is expected


def test_one_replicate_decides_nothing() -> None:
    (finding,) = answer([Question("", np.array([5.0]), above(0.0))])
    assert finding.outcome is Outcome.UNDECIDED
    assert math.isnan(finding.low)


def test_a_number_that_is_not_finite_decides_nothing() -> None:
    (finding,) = answer([Question("", np.array([5.0, np.nan, 5.0]), above(0.0))])
    assert finding.outcome is Outcome.UNDECIDED


def _finding(estimate: float, n: int = 5) -> Finding:
    return Finding("x", estimate, estimate - 0.1, estimate + 0.1, above(0.0), n, 0.2, "t")


@pytest.mark.parametrize(
    ("estimates", "expected"),
    [
        ([1.0, 2.0], Outcome.HOLDS),
        ([-1.0, -2.0], Outcome.FAILS),
        ([1.0, -1.0, 0.0], Outcome.DEPENDS),
        ([1.0, 0.0], Outcome.UNDECIDED),
        ([-1.0, 0.0], Outcome.FAILS),
        ([], Outcome.NOT_RUN),
    ],
)
def test_verdicts_of_several_numbers(estimates: list[float], expected: Outcome) -> None:
    assert Verdict.of([_finding(estimate) for estimate in estimates]).outcome is expected


def test_a_missing_number_leaves_a_claim_undecided() -> None:
    verdict = Verdict.of([_finding(1.0), _finding(1.0, n=0)])
    assert verdict.outcome is Outcome.UNDECIDED
    assert "Not run for x (no number)." in verdict.sentence


def test_differences_are_of_common_seeds() -> None:
    one = _curve([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [10.0, 100.0], [0.0, 1.0, 2.0])
    other = _curve([[1.5, 0.0], [0.5, 1.0]], [10.0, 100.0], [2.0, 1.0])
    assert difference(one, other, 100.0).tolist() == [3.0, 6.0]
    assert difference(one, other, 100.0, 10.0).tolist() == [3.5, 4.5]
    assert difference(one, _curve([[1.0, 1.0]], [10.0, 100.0], [7.0]), 10.0).size == 0


def test_slopes_and_reach_of_power_laws() -> None:
    nfe = np.array([10.0, 20.0, 40.0, 80.0])
    curve = Curve(nfe, nfe, np.array([5 * nfe**-2.0, 3 * nfe**-3.0]), np.arange(2.0))
    assert slopes(curve, nfe).tolist() == pytest.approx([2.0, 3.0])
    found = reach(curve, np.array([5 * 30.0**-2, 1e-9]))
    assert found[0] == pytest.approx(30.0)
    assert math.isnan(found[1])


def test_a_curve_takes_the_seeds_that_have_every_point() -> None:
    table = pd.DataFrame(
        {
            "metric": "swd",
            "seed": [0, 0, 1, 1, 2],
            "budget": [20, 10, 10, 20, 10],
            "nfe": [19.0, 9.0, 9.0, 19.0, 9.0],
            "value": [2.0, 1.0, 3.0, 4.0, 9.0],
            "status": ["ok", "ok", "ok", "ok", "ok"],
            "larger_is_better": False,
        }
    )
    curve = Rows.of(table).where(metric="swd").curve()
    assert curve.nfe.tolist() == [9.0, 19.0]
    assert curve.seeds.tolist() == [0.0, 1.0]
    assert curve.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert curve.at(20).tolist() == [2.0, 4.0]
    failed = table.assign(status=["ok", "failed", "ok", "ok", "ok"])
    assert Rows.of(failed).curve().seeds.tolist() == [1.0]
