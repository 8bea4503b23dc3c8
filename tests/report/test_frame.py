"""Points are means over seeds, of one protocol each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.report.data.best import best_values
from bench.results.frame import points, prepare_frame


def cell(results: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    chosen = results
    for name, value in wanted.items():
        chosen = chosen[chosen[name].eq(value)]
    return chosen


def test_a_point_is_the_mean_over_seeds(results: pd.DataFrame) -> None:
    wanted = {"model": "mnist_unet", "metric": "fd_mnist", "sampler": "ddim", "budget": 10}
    values = cell(results, **wanted)["value"]
    means = points(prepare_frame(results)).rename(columns={"curve": "sampler"})
    point = cell(means, **wanted)
    assert len(values) == 2
    assert len(point) == 1
    assert point["value"].iloc[0] == pytest.approx(values.mean())
    assert point["half_width"].iloc[0] == pytest.approx(12.7062 * values.std() / 2**0.5, rel=1e-4)


def test_seeds_of_an_adaptive_solver_share_a_point(results: pd.DataFrame) -> None:
    means = points(prepare_frame(results))
    adaptive = cell(means, model="mnist_unet", metric="fd_mnist", curve="rk45")
    assert list(adaptive["seeds"]) == [2, 2, 2, 2]
    assert sorted(adaptive["nfe"]) == [14, 21, 34, 62]


def test_references_drawn_with_the_seed_do_not_keep_seeds_apart(results: pd.DataFrame) -> None:
    rows = cell(results, metric="nll_nats", status="ok")
    assert rows.groupby("seed")["reference_hash"].nunique().eq(1).all()
    assert rows["reference_hash"].nunique() == 2
    assert cell(prepare_frame(results), metric="nll_nats", usable=True)["protocol"].eq(0).all()


def test_round_off_of_s_min_is_no_other_protocol(results: pd.DataFrame) -> None:
    assert results["s_min"].nunique() == 2
    assert prepare_frame(results)["protocol"].max() == 0


@pytest.mark.parametrize(
    ("column", "other"), [("metric_n", 50), ("finish", "none"), ("reference_hash", "x")]
)
def test_another_protocol_is_another_point(
    results: pd.DataFrame, column: str, other: object
) -> None:
    changed = results.copy()
    half = changed["budget"].isin((20, 40)) & changed["metric"].eq("fd_mnist")
    changed.loc[half, column] = other
    means = points(prepare_frame(changed))
    of_ddim = cell(means, metric="fd_mnist", curve="ddim")
    assert list(of_ddim.sort_values("nfe")["protocol"]) == [0, 0, 1, 1]


def test_other_seeds_of_another_protocol_are_not_averaged_in(results: pd.DataFrame) -> None:
    changed = results.copy()
    changed.loc[changed["seed"].eq(1), "metric_n"] = 77
    of_ddim = cell(points(prepare_frame(changed)), metric="fd_mnist", curve="ddim")
    assert len(of_ddim) == 8
    assert of_ddim["seeds"].eq(1).all()


def test_the_grid_is_named_where_a_sampler_has_several(results: pd.DataFrame) -> None:
    other = results.assign(grid="uniform", grid_params='{"rho":3}')
    frame = prepare_frame(pd.concat([results, other], ignore_index=True))
    assert {"ddim on karras", "ddim on uniform(rho=3)"} <= set(frame["curve"])


def test_one_grid_is_not_named(results: pd.DataFrame) -> None:
    assert set(prepare_frame(results)["curve"]) == set(results["sampler"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_not_usable(results: pd.DataFrame, value: float) -> None:
    frame = prepare_frame(results.assign(value=value))
    assert not frame["usable"].any()
    assert points(frame).empty


def test_of_likelihoods_the_nearest_to_the_exact_one_ranks_first(results: pd.DataFrame) -> None:
    changed = results.copy()
    low = changed["metric"].eq("nll_nats") & changed["sampler"].eq("ddim")
    changed.loc[low, "value"] = -5.0
    means = cell(points(prepare_frame(changed)), metric="nll_nats")
    assert means.loc[means["rank"].idxmax(), "curve"] == "ddim"


def test_a_diagnostic_has_no_best_value(results: pd.DataFrame) -> None:
    raw = results.copy()
    raw["larger_is_better"] = raw["larger_is_better"].astype(object)
    assert any(best.label.startswith("swd") for best in best_values(points(prepare_frame(raw))))
    raw.loc[raw["metric"].eq("swd"), "larger_is_better"] = None
    best = best_values(points(prepare_frame(raw)))
    assert best
    assert not any(b.label.startswith("swd") for b in best)
