"""Areas, NFE to a target, dominance, and the summaries over many curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.compare.question import CompareOptions
from bench.stats.aggregates import (
    bootstrap,
    bootstrap_samplers,
    cost_scores,
    improvement_on_others,
    interquartile_mean,
    interquartile_means,
    probability_of_improvement,
)
from bench.stats.curves import MetricCurve, area_between, first_reach
from bench.stats.profiles import data_profile, performance_profile


def _line(nfe: list[float], values: list[float]) -> MetricCurve:
    return MetricCurve(np.array(nfe), np.array(values))


def test_the_area_between_power_laws_is_exact() -> None:
    nfe = [5.0, 10, 20, 40]
    base = _line(nfe, [3 / n for n in nfe])
    assert area_between(base, _line(nfe, [3.3 / n for n in nfe]))[0] == pytest.approx(np.log(1.1))


def test_the_area_counts_where_both_curves_are() -> None:
    base = _line([5, 10, 20], [3 / 5, 3 / 10, 3 / 20])
    head = _line([8, 16, 64], [6 / 8, 6 / 16, 6 / 64])
    assert area_between(base, head)[0] == pytest.approx(np.log(2))
    assert np.isnan(area_between(base, _line([30, 40], [1, 1]))[0])
    assert np.isnan(area_between(base, _line([5, 20], [1, -1]))[0])


def test_the_gradient_of_the_area_is_that_of_finite_differences() -> None:
    base, values = _line([5, 10, 30], [2, 1, 0.7]), np.array([1.5, 0.9, 0.8])
    total, _, gradient = area_between(base, MetricCurve(np.array([5.0, 12, 30]), values))
    for i in range(3):
        moved = values.copy()
        moved[i] += 1e-6
        found = area_between(base, MetricCurve(np.array([5.0, 12, 30]), moved))[0]
        assert (found - total) / 1e-6 == pytest.approx(gradient[i], rel=1e-4)


def test_the_first_nfe_that_reaches_a_target() -> None:
    nfe = np.array([5.0, 10, 20, 40])
    values = np.array([[8, 4, 2, 1], [8, 4, 5, 1], [1, 1, 1, 1], [9, 9, 9, 9]])
    found = first_reach(nfe, values.astype(float), 4 / np.sqrt(2))
    np.testing.assert_allclose(found[:1], [10 * np.sqrt(2)])
    assert 20 < found[1] < 40
    assert found[2] == pytest.approx(5)
    assert np.isnan(found[3])


def test_intervals_of_curves_cover_what_they_are_about(made: Any) -> None:
    """Two exact power laws with common noise: areas and NFE to the target, in 60 trials."""
    truth, covered = np.log(0.9), [0, 0]
    for trial in range(60):
        draws = np.random.default_rng(trial)
        noise = draws.normal(size=(300, 1)) + 0.3 * draws.normal(size=(300, 3))
        base = {n: 30 / n * (1 + 0.3 * noise[:, i]) for i, n in enumerate((5, 10, 20))}
        other = 0.1 * draws.normal(size=(300, 3))
        head = {n: 0.9 * (v + 30 / n * other[:, i]) for i, (n, v) in enumerate(base.items())}
        question = CompareOptions(targets=(("fd", 2.5),))
        (row,) = made.samples_compared(base, head, question).curves.to_dict("records")
        covered[0] += row["area_low"] <= np.expm1(truth) <= row["area_high"]
        covered[1] += row["nfe_base_low"] <= 12 <= row["nfe_base_high"]
        assert row["area_high"] - row["area_low"] < 0.06  # the common noise falls out
    assert min(covered) >= 52  # of 57 expected; 3 standard deviations below is 52


def test_a_curve_that_is_nowhere_worse_dominates(made: Any) -> None:
    draws = np.random.default_rng(0)
    base = {n: 30 / n + draws.normal(size=200) / n for n in (5, 10)}
    better = {n: 0.5 * v for n, v in base.items()}
    mixed = {5: base[5] * 0.5, 10: base[10] * 2}
    dominates = [
        made.samples_compared(*pair).curves["dominates"].tolist()
        for pair in ((base, better), (better, base), (base, base), (base, mixed))
    ]
    assert dominates == [["HEAD"], ["BASE"], ["same"], ["neither"]]


def test_interquartile_mean_is_that_of_the_middle_half() -> None:
    assert interquartile_mean(np.array([[0.0, 1, 2, 3], [4, 5, 6, 100]])) == pytest.approx(3.5)


def test_probability_of_improvement_counts_pairs() -> None:
    draws = np.random.default_rng(0)
    x, y = draws.integers(0, 5, (4, 3)).astype(float), draws.integers(0, 5, (6, 3)).astype(float)
    pairs = [
        np.mean([(a > b) + 0.5 * (a == b) for a in x[:, j] for b in y[:, j]]) for j in range(3)
    ]
    assert probability_of_improvement(x, y) == pytest.approx(np.mean(pairs))


def test_the_stratified_bootstrap_has_the_width_of_the_error_of_a_mean() -> None:
    scores = np.random.default_rng(1).normal(size=(40, 5)) + np.arange(5) * 10
    low, high = bootstrap(lambda s: float(s.mean()), scores, alpha=0.05, resamples=2000)
    error = np.sqrt(scores.var(axis=0, ddof=1).sum() / 40) / 5
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert np.isnan(bootstrap(lambda s: 0.0, scores[:1], alpha=0.05)).all()


def test_scores_run_from_the_worst_to_the_best_in_the_log() -> None:
    costs = np.array([[[1.0, 3.0], [10.0, np.inf]], [[100.0, 3.0], [1.0, 3.0]]])
    expected = np.array([[[1, 1], [0.5, 0]], [[0, 1], [1, 1]]])
    np.testing.assert_allclose(cost_scores(costs), expected)
    assert not cost_scores(np.full((2, 1, 1), np.inf)).any()


def test_improvement_over_the_field_is_the_mean_over_the_others() -> None:
    costs = np.random.default_rng(3).integers(1, 6, (4, 3, 5)).astype(float)
    costs[1, 0, 2] = np.inf
    expected = [
        np.mean([probability_of_improvement(-costs[i], -costs[j]) for j in range(4) if j != i])
        for i in range(4)
    ]
    np.testing.assert_allclose(improvement_on_others(costs), expected)


def test_the_bootstrap_of_a_field_is_stratified() -> None:
    scores = np.random.default_rng(1).normal(size=(2, 40, 5)) + np.arange(5) * 10
    low, high = bootstrap_samplers(lambda s: s.mean(axis=(1, 2)), scores, 0.05)
    error = np.sqrt(scores.var(axis=1, ddof=1).sum(axis=1) / 40) / 5
    np.testing.assert_allclose(high - low, 2 * 1.96 * error, rtol=0.15)
    assert np.isnan(bootstrap_samplers(interquartile_means, scores[:, :1], 0.05)).all()
    middle = [interquartile_mean(one) for one in scores]
    np.testing.assert_allclose(interquartile_means(scores), middle)


def test_performance_profiles_are_those_of_dolan_and_more() -> None:
    costs = np.array([[1.0, 4, np.inf], [2, 2, np.inf]])
    found = performance_profile(costs, np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(found, [[1 / 3, 2 / 3, 2 / 3], [1 / 3, 2 / 3, 2 / 3]])


def test_data_profiles_count_targets_reached() -> None:
    costs = np.array([[5.0, 10, np.nan, 40]])
    np.testing.assert_allclose(data_profile(costs, np.array([4.0, 10, 100])), [[0, 0.5, 0.75]])


def test_a_metric_has_its_summary_over_all_points(made: Any) -> None:
    base = [made.number(v, seed=s, budget=b) for s in range(4) for b, v in ((5, 4 + s), (9, 2 + s))]
    head = [{**row, "value": row["value"] * 0.5} for row in base]
    (row,) = made.compared(base, head).overall.to_dict("records")
    assert (row["points"], row["seeds"], row["iqm"]) == (2, 4, pytest.approx(0.5))
    assert 0.5 < row["improvement"] <= 1
    assert row["iqm_low"] < 0.5 < row["iqm_high"]
