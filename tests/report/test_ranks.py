"""Ranks and their intervals: against what is known of the differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.report.data.ranks import rank_samplers
from bench.results.frame import prepare_frame
from bench.stats.ranks import ranks

UNKNOWN = np.full(3, np.nan)


def test_far_apart_ranks_are_certain() -> None:
    values = np.array([[3.0, 3.1, 2.9, 3.0], [1.0, 1.1, 0.9, 1.0], [2.0, 2.1, 1.9, 2.0]])
    found = ranks(values + 0.001 * np.random.default_rng(0).standard_normal(values.shape), UNKNOWN)
    assert list(found.place) == [3, 1, 2]
    assert list(found.low) == list(found.high) == [3, 1, 2]


def test_seeds_are_paired() -> None:
    # seeds differ by far more than samplers do, but by the same for all
    seeds = np.array([0.0, 50.0, -80.0, 20.0])
    noise = 0.001 * np.random.default_rng(1).standard_normal((3, 4))
    found = ranks(np.array([[1.0], [2.0], [3.0]]) + seeds + noise, UNKNOWN)
    assert list(found.low) == list(found.high) == [1, 2, 3]


def test_a_difference_counts_exactly_where_the_t_test_says_so() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        values = random.standard_normal((2, 4)) + np.array([[0.0], [1.5]])
        found = ranks(values, UNKNOWN[:2])
        certain = stats.ttest_rel(values[0], values[1]).pvalue < 0.05
        assert (found.high[0] - found.low[0] == 0) == certain


def test_the_correction_is_bonferronis() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        values = random.standard_normal((4, 5)) + np.array([0.0, 1.0, 2.0, 3.0])[:, None]
        found = ranks(values, np.full(4, np.nan))
        better = [
            stats.ttest_rel(values[3], values[i], alternative="two-sided").pvalue < 0.05 / 3
            and values[i].mean() < values[3].mean()
            for i in range(3)
        ]
        assert found.low[3] == min(1 + sum(better), found.place[3])


def test_one_seed_counts_by_its_standard_error() -> None:
    values = np.array([[1.0], [1.1], [5.0]])
    found = ranks(values, np.full(3, 0.1))
    assert list(found.low) == [1, 1, 3]
    assert list(found.high) == [2, 2, 3]


def test_without_any_error_there_is_no_interval() -> None:
    found = ranks(np.array([[1.0], [2.0], [3.0]]), UNKNOWN)
    assert list(found.place) == [1, 2, 3]
    assert list(found.low) == list(found.high) == [-1, -1, -1]


def test_equal_values_share_the_better_rank() -> None:
    values = np.ones((3, 3))
    found = ranks(values, UNKNOWN)
    assert list(found.place) == [1, 1, 1]


@pytest.mark.slow
def test_intervals_cover_the_true_rank() -> None:
    random = np.random.default_rng(4)
    truth = np.array([0.0, 0.2, 0.4, 1.0, 2.0])
    misses = 0
    for _ in range(2000):
        seeds = random.standard_normal(5)
        values = truth[:, None] + seeds + 0.5 * random.standard_normal((5, 5))
        found = ranks(values, np.full(5, np.nan))
        misses += not (found.low[2] <= 3 <= found.high[2])
    assert misses <= 0.05 * 2000 + 2 * np.sqrt(2000 * 0.05 * 0.95)


def test_ranks_of_a_run(results: pd.DataFrame) -> None:
    one = results[results["model"].eq("gaussian_mixture")]
    found = rank_samplers(prepare_frame(one))
    # a likelihood that an exact value judges has no ranks; its error has
    assert set(found["metric"]) >= {"swd", "rmse", "nll_error_nats"}
    assert "nll_nats" not in set(found["metric"])
    at = found[found["metric"].eq("rmse") & found["budget"].eq(40)]
    means = one[one["metric"].eq("rmse") & one["budget"].eq(40)].groupby("sampler")["value"].mean()
    assert at.loc[at["curve"].ne("rk45"), "curve"].iloc[0] == means.idxmin()
    assert (at["low"] <= at["rank"]).all()
    assert (at["rank"] <= at["high"]).all()


def test_an_adaptive_solver_stands_at_a_budget_with_its_best_run_within(
    results: pd.DataFrame,
) -> None:
    one = results[results["model"].eq("mnist_unet")]
    found = rank_samplers(prepare_frame(one))
    of_rk45 = found[found["curve"].eq("rk45") & found["metric"].eq("rmse")]
    assert sorted(of_rk45["budget"]) == [20, 40]  # its cheapest run costs 14


def test_larger_may_be_better(results: pd.DataFrame) -> None:
    one = results[results["model"].eq("mnist_unet") & results["metric"].eq("fd_mnist")]
    up, down = (
        rank_samplers(prepare_frame(one.assign(larger_is_better=True))),
        rank_samplers(prepare_frame(one)),
    )
    at = {"budget": 5.0, "rank": 1}
    first = [t[(t["budget"] == 5.0) & (t["rank"] == 1)]["curve"].iloc[0] for t in (up, down)]
    assert first[0] != first[1], at
