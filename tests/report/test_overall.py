"""Samplers over many models: problems, who stands together, profiles, against counts by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.extensions.data import CommonProblems
from bench.report import Report, write_report
from bench.report.data.aggregates import aggregate, overall_table, profile_points
from bench.report.data.common_problems import TARGETS, common_problems, largest_table
from bench.report.data.problems import problems
from bench.results.frame import prepare_frame
from bench.stats.profiles import data, performance

Made = Callable[[Sequence[dict[str, Any]]], pd.DataFrame]


@pytest.fixture
def made(results: pd.DataFrame) -> Made:
    """Prepared results made of a few named columns; all else is like one row of the made-up run."""
    like = results[results["sampler"].eq("ddim") & results["metric"].eq("fd_mnist")].iloc[0]

    def rows(changes: Sequence[dict[str, Any]]) -> pd.DataFrame:
        every = [{**like.to_dict(), "seed": 0, "key": str(i), **c} for i, c in enumerate(changes)]
        return prepare_frame(pd.DataFrame(every))

    return rows


def _row(
    model: str, sampler: str, budget: float | None, value: float, **more: Any
) -> dict[str, Any]:
    return {
        "model": model,
        "sampler": sampler,
        "budget": budget,
        "nfe": budget,
        "value": value,
        "metric": "fd",
        **more,
    }


def _failed(model: str, sampler: str, budget: float, status: str = "diverged") -> dict[str, Any]:
    return _row(model, sampler, budget, math.nan, status=status, reason="no")


def _ladder(model: str, sampler: str, *values: float, **more: Any) -> list[dict[str, Any]]:
    return [_row(model, sampler, 10.0 * 2**i, v, **more) for i, v in enumerate(values)]


def _costs(field: CommonProblems) -> dict[str, list[float]]:
    return {c: list(row) for c, row in zip(field.curves, field.costs, strict=True)}


def _adaptive(model: str, nfe: float, value: float, tolerance: float) -> dict[str, Any]:
    more = {"solver_kind": "adaptive", "tolerance": tolerance, "grid": ""}
    return _row(model, "rk45", None, value, **more) | {"nfe": nfe}


def _places(ran: np.ndarray, owner: np.ndarray) -> tuple[list[int], list[int]]:
    found = largest_table(ran, owner)
    assert found is not None
    return found[0].tolist(), found[1].tolist()


def test_profiles_are_those_counted_by_hand(made: Made) -> None:
    rows = [
        *_ladder("m1", "a", 8.0, 2.0),
        *_ladder("m1", "b", 4.0, 4.0),
        *_ladder("m2", "a", 3.0, 1.0),
        *_ladder("m2", "b", 3.0, 3.0),
    ]
    (field,) = common_problems(problems(made(rows)))
    assert (field.name, field.curves, field.subjects) == ("fd", ("a", "b"), 2)
    found = performance(field.costs)
    # ratios to the best: a 2, 1, 1, 1; b 1, 2, 1 (a tie), 3
    np.testing.assert_allclose(found.x, [1, 2, 3])
    np.testing.assert_allclose(found.shares, [[0.75, 1, 1], [0.5, 0.75, 1]])


def test_data_profiles_are_those_counted_by_hand(made: Made) -> None:
    rows = [
        *_ladder("m1", "a", 8.0, 2.0),
        *_ladder("m1", "b", 4.0, 4.0),
        *_ladder("m2", "a", 8.0, 2.0),
        *_ladder("m2", "b", 4.0, 4.0),
    ]
    (field,) = common_problems(problems(made(rows)))
    found = data(field.reached)
    np.testing.assert_allclose(found.x, [10, 20])
    # targets go from 8 to 2: at 10 evaluations a has the first, b the upper half and the middle
    np.testing.assert_allclose(found.shares[0], [1 / TARGETS, 1])
    np.testing.assert_allclose(found.shares[1], [26 / TARGETS, 26 / TARGETS])


def test_what_failed_is_never_reached_but_has_run(made: Made) -> None:
    rows = [
        *_ladder("m1", "a", 4.0, 2.0),
        *_ladder("m1", "b", 4.0),
        _failed("m1", "b", 20.0, "timeout"),
        *_ladder("m2", "a", 4.0, 2.0),
        *_ladder("m2", "b", 4.0, 2.0),
    ]
    (field,) = common_problems(problems(made(rows)))
    assert field.curves == ("a", "b")
    assert _costs(field)["b"] == [4, math.inf, 4, 2]
    assert performance(field.costs).shares[1, -1] == 0.75
    assert data(field.reached).shares[1, -1] < 1
    assert aggregate(field).set_index("curve").loc["b", "solved"] == 0.75


def test_one_failed_seed_fails_the_problem_and_scores_nothing(made: Made) -> None:
    rows = [
        *(r | {"seed": s} for s in (0, 1) for m in ("m1", "m2") for r in _ladder(m, "a", 4.0)),
        *(r | {"seed": s} for s in (0, 1) for m in ("m1", "m2") for r in _ladder(m, "b", 2.0)),
    ]
    rows[-1] |= {"status": "failed", "value": math.nan}
    (field,) = common_problems(problems(made(rows)))
    assert _costs(field)["b"] == [2, math.inf]
    np.testing.assert_array_equal(field.seeds[1], [[2, 2], [2, math.inf]])


def test_what_is_unsupported_has_not_run(made: Made) -> None:
    rows = [
        *(r for m in ("m1", "m2") for s in ("a", "b") for r in _ladder(m, s, 4.0, 2.0)),
        *_ladder("m1", "c", 1.0, 1.0),
        *(_failed("m2", "c", b, "unsupported") for b in (10.0, 20.0)),
    ]
    (field,) = common_problems(problems(made(rows)))
    assert field.curves == ("a", "b")
    assert (field.others, field.refused) == (("c",), 1)
    (said, *_) = [r for r in overall_table(field, aggregate(field)).notes if "Left out" in r]
    assert "1 samplers" in said
    assert "does not support" in said


def test_over_its_budget_is_not_solved_but_reached(made: Made) -> None:
    rows = [r for m in ("m1", "m2") for s in ("a", "b") for r in _ladder(m, s, 4.0, 2.0)]
    rows[0] |= {"over_budget": True, "nfe": 13.0}
    (field,) = common_problems(problems(made(rows)))
    assert _costs(field)["a"][0] == math.inf
    assert field.reached[0, 0] == 13.0


def test_adaptive_solvers_stand_at_what_they_spent(made: Made) -> None:
    rows = [
        *(r for m in ("m1", "m2") for r in _ladder(m, "a", 4.0, 2.0)),
        *(_adaptive(m, nfe, v, nfe) for m in ("m1", "m2") for nfe, v in ((14.0, 3.0), (33.0, 0.1))),
    ]
    (field,) = common_problems(problems(made(rows)))
    # none within 10; the run of 14 within 20; that of 33 is beyond all budgets
    assert _costs(field)["rk45"] == [math.inf, 3, math.inf, 3]
    reached = field.reached[field.curves.index("rk45")]
    assert set(reached) == {14.0, math.inf}


def test_adaptive_solvers_alone_stand_without_budgets(made: Made) -> None:
    rows = [_adaptive(m, 14.0, v, 1.0) for m, v in (("m1", 3.0), ("m2", 2.0))]
    rows += [r | {"sampler": "rk23", "value": 2.5} for r in rows]
    (field,) = common_problems(problems(made(rows)))
    assert _costs(field) == {"rk23": [2.5, 2.5], "rk45": [3, 2]}


def test_more_may_be_better(made: Made) -> None:
    rows = [r for m in ("m1", "m2") for s, v in (("a", 2.0), ("b", 4.0)) for r in _ladder(m, s, v)]
    (field,) = common_problems(problems(made([r | {"larger_is_better": True} for r in rows])))
    assert _costs(field) == {"a": [0.5, 0.5], "b": [0.25, 0.25]}
    assert list(aggregate(field)["curve"]) == ["b", "a"]


def test_an_exact_value_is_what_the_cost_is_the_distance_to(made: Made) -> None:
    rows = []
    for model in ("m1", "m2"):
        for sampler, value in (("a", -2.5), ("b", 0.5)):
            one = _row(model, sampler, 10.0, value, metric="nll_nats", key=model + sampler)
            exact = {"metric": "nll_exact_nats", "role": "exact", "belongs_to": "nll_nats"}
            rows += [one, one | exact | {"value": -1.0}]
    (field,) = common_problems(problems(made(rows)))
    assert field.metrics == ("nll_nats",)
    assert _costs(field) == {"a": [1.5, 1.5], "b": [1.5, 1.5]}
    # where that distance is a metric of its own, it does not count twice
    own = {"metric": "nll_error_nats", "role": "error", "belongs_to": "nll_nats"}
    errors = [r | own | {"value": 1.5} for r in rows[::2]]
    (alone,) = common_problems(problems(made([*rows, *errors])))
    assert alone.metrics == ("nll_error_nats",)


def test_errors_below_that_of_their_reference_tie(made: Made) -> None:
    rows = []
    reference = {"metric": "own", "role": "reference", "belongs_to": "rmse"}
    for model in ("m1", "m2"):
        for sampler, value in (("a", 1e-5), ("b", 3e-4)):
            rows += [
                _row(model, sampler, 10.0, value, metric="rmse", role="error"),
                _row(model, sampler, 10.0, 1e-3) | reference,
            ]
    (field,) = common_problems(problems(made(rows)))
    assert performance(field.costs).shares.tolist() == [[1.0], [1.0]]
    assert set(aggregate(field)["iqm"]) == {1.0}


def test_values_that_have_no_ratio_are_left_out(made: Made) -> None:
    rows = [r for m in ("m1", "m2", "m3") for s in ("a", "b") for r in _ladder(m, s, 4.0)]
    rows[0] |= {"value": -0.1}
    known = problems(made(rows))
    assert known.without_ratio == (("0", "fd"),)
    (field,) = common_problems(known)
    assert field.subjects == 2
    assert "costs have no ratio" in overall_table(field, aggregate(field)).notes[-1]


def test_another_protocol_is_not_the_same_problem(made: Made) -> None:
    rows = [r for m in ("m1", "m2") for s in ("a", "b", "c") for r in _ladder(m, s, 4.0, 2.0)]
    for row in rows:
        if row["sampler"] == "c" and row["model"] == "m2":
            row["metric_n"] = 77
    rows[-1] |= {"status": "diverged", "value": math.nan}
    (field,) = common_problems(problems(made(rows)))
    assert field.curves == ("a", "b")


def test_one_model_or_no_common_sampler_gives_nothing(made: Made) -> None:
    one = [r for s in ("a", "b") for r in _ladder("m1", s, 4.0)]
    assert common_problems(problems(made(one))) == ()
    apart = [*one, *_ladder("m2", "c", 3.0), *_ladder("m2", "a", 3.0)]
    assert common_problems(problems(made(apart))) == ()
    names = [*one, *(r | {"model": "m2", "metric": "fd_2"} for r in one)]
    assert common_problems(problems(made(names))) == ()


def test_several_metrics_of_a_direction_are_told_together_and_alone(made: Made) -> None:
    rows = [r for m in ("m1", "m2") for s in ("a", "b") for r in _ladder(m, s, 4.0)]
    every = [*rows, *(r | {"metric": "rmse"} for r in rows)]
    found = common_problems(problems(made(every)))
    assert [(f.name, f.costs.shape) for f in found] == [
        ("all, less is better", (2, 4)),
        ("fd", (2, 2)),
        ("rmse", (2, 2)),
    ]


def test_the_largest_table_without_a_gap_counts() -> None:
    ran = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)
    owner = np.array([0, 0, 1, 1])
    assert _places(ran, owner) == ([0, 1], [0, 1, 2, 3])
    # neither has all that the other has, yet they share two problems
    ran = np.array([[1, 1, 1, 0], [0, 1, 1, 1]], dtype=bool)
    assert _places(ran, owner) == ([0, 1], [1, 2])
    assert largest_table(ran, np.zeros(4, dtype=np.int64)) is None


def test_points_of_the_profiles_are_where_shares_change(made: Made) -> None:
    rows = [*_ladder("m1", "a", 8.0, 2.0), *_ladder("m1", "b", 4.0, 4.0)]
    rows += [r | {"model": "m2"} for r in rows]
    found = profile_points(common_problems(problems(made(rows))))
    of_a = found[found["profile"].eq("performance") & found["curve"].eq("a")]
    assert of_a[["x", "share"]].to_numpy().tolist() == [[1.0, 0.5], [2.0, 1.0]]


def test_the_report_has_the_section_with_its_files(report: Report) -> None:
    folder = report.page.parent
    html = report.page.read_text(encoding="utf-8")
    assert 'id="over-all-models"' in html
    assert {"over-all-models.svg", "over-all-models.pdf"} <= {p.name for p in report.figures}
    assert {"overall.csv", "profiles.csv"} <= {p.name for p in report.tables}
    assert "Standing by rmse" in (folder / "tables-over-all-models.tex").read_text(encoding="utf-8")
    table = pd.read_csv(folder / "overall.csv")
    of_rmse = table[table["field"].eq("rmse")]
    # heun lacks a seed on one model, and rk4 and rk45 a problem: they stand, with less solved
    assert set(of_rmse["curve"]) >= {"heun", "rk4", "rk45"}
    assert of_rmse["iqm"].is_monotonic_decreasing
    assert (of_rmse["iqm_low"] <= of_rmse["iqm"]).all()
    assert (of_rmse["improvement"] <= of_rmse["improvement_high"]).all()
    assert of_rmse["improvement"].mean() == pytest.approx(0.5)


def test_a_run_of_one_model_has_no_such_section(
    results: pd.DataFrame, report_on: Callable[[pd.DataFrame], Report]
) -> None:
    found = report_on(results[results["model"].eq("mnist_unet") & results["metric"].eq("rmse")])
    assert "over-all-models" not in found.page.read_text(encoding="utf-8")
    assert not (found.page.parent / "overall.csv").exists()


def test_hostile_names_do_no_harm(
    results: pd.DataFrame, report_in: Callable[[Path, pd.DataFrame], Report], tmp_path: Path
) -> None:
    few = results[results["metric"].eq("rmse") & results["sampler"].isin(["ddim", "heun"])]
    evil = "<script>alert(1)</script>_rmse"
    found = report_in(tmp_path, few.assign(metric=evil))
    html = found.page.read_text(encoding="utf-8")
    assert "over-all-models" in html
    assert "<script>alert" not in html
    again = write_report(tmp_path / "run", tmp_path / "again")
    assert again.page.read_bytes() == found.page.read_bytes()


def test_nothing_to_stand_on_gives_nothing(results: pd.DataFrame) -> None:
    few = results[results["metric"].isin(["rmse", "rmse_reference"])]
    failed = few.assign(value=None, nfe=None, status="failed")
    unsupported = few.assign(value=None, nfe=None, status="unsupported")
    diagnostics = few[few["metric"].eq("rmse_reference")].assign(larger_is_better=None)
    for nothing in (failed, unsupported, diagnostics, few.iloc[:0]):
        assert common_problems(problems(prepare_frame(nothing))) == ()
    # all are over their budgets: targets are reached, problems are not solved
    (field,) = common_problems(problems(prepare_frame(few.assign(over_budget=True))))
    assert not aggregate(field)[["iqm", "solved", "best"]].to_numpy().any()
    assert not performance(field.costs).shares.any()
    assert data(field.reached).shares.any()


def test_a_run_in_which_all_failed_still_has_a_report(
    results: pd.DataFrame, report_on: Callable[[pd.DataFrame], Report]
) -> None:
    few = results[results["metric"].eq("rmse")]
    found = report_on(few.assign(value=None, std_error=None, nfe=None, status="failed"))
    assert found.page.exists()
