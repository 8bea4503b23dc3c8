"""The Pareto front, against its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.report.data.fronts import mark_fronts, pareto_front
from bench.results.frame import SUBJECT, points, prepare_frame


@pytest.mark.parametrize("seed", range(20))
def test_a_point_is_on_the_front_if_no_other_dominates_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost, rank = random.integers(1, 8, 30).astype(float), random.integers(0, 12, 30).astype(float)
    front = pareto_front(cost, rank)
    pairs = {(cost[i], rank[i]) for i in front}
    assert len(pairs) == len(front)
    free = {
        (cost[i], rank[i])
        for i in range(30)
        if not any(
            cost[j] <= cost[i] and rank[j] <= rank[i] and (cost[j], rank[j]) != (cost[i], rank[i])
            for j in range(30)
        )
    }
    assert pairs == free


def test_points_say_whether_they_are_on_a_front(results: pd.DataFrame) -> None:
    means = points(prepare_frame(results))
    told = mark_fronts(means, [*SUBJECT, "metric", "protocol"])
    for _, part in told[told["ranked"]].groupby([*SUBJECT, "metric"]):
        best = part.loc[part["rank"].idxmin()]
        cheapest = part[part["nfe"].eq(part["nfe"].min())]
        assert best["front_nfe"]
        assert cheapest["front_nfe"].sum() == 1
        assert part["front_wall_clock"].any()
    assert not told.loc[~told["ranked"], "front_nfe"].any()
