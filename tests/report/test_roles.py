"""What a number means is what its metric declared: no name of a plugin's is taken for more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.report import Report
from bench.report.data.best import best_values
from bench.report.data.orders import error_fits
from bench.report.data.problems import problems
from bench.report.data.ranks import rank_samplers
from bench.report.figures.heat import sheets
from bench.report.figures.pareto import fronts
from bench.results.frame import points, prepare_frame
from bench.results.roles import errors, exact_partners, primary, references

ReportOn = Callable[[pd.DataFrame], Report]

MISLEADING = (
    "error_rate",
    "rmse",
    "nll_error_nats",
    "mirror",
    "my_reference",
    "fd_reference",
    "x_exact_y",
    "x_converged",
)
"""Names that would say something, were names to say anything."""


@pytest.fixture
def few(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of one metric of one model."""
    return results[results["model"].eq("mnist_unet") & results["metric"].eq("fd_mnist")]


def _numbers(few: pd.DataFrame, *declared: tuple[str, str, str]) -> pd.DataFrame:
    """The rows once for each number: its name, role and what it belongs to."""
    parts = []
    for name, role, owner in declared:
        told = few["role"].ne("")
        one = few.assign(metric=name, role=few["role"].where(~told, role))
        one["belongs_to"] = few["belongs_to"].where(~told, owner)
        ranked = role in ("quality", "error")
        parts.append(one if ranked else one.assign(larger_is_better=None))
    return pd.concat(parts, ignore_index=True)


def _declared(rows: pd.DataFrame) -> tuple[list[str], dict[str, str], dict[str, str], set[str]]:
    frame = prepare_frame(rows)
    return primary(frame), exact_partners(frame), references(frame), set(errors(frame))


@pytest.mark.parametrize("name", MISLEADING)
def test_a_quality_of_any_name_is_ranked_and_has_no_order(few: pd.DataFrame, name: str) -> None:
    # with the plain names beside it that its own could be taken to accompany
    rows = _numbers(few, *((n, "quality", "") for n in ("fd", "my", "x", "x_y", name)))
    assert _declared(rows) == (["fd", "my", "x", "x_y", name], {}, {}, set())
    means = points(prepare_frame(rows))
    assert error_fits(means) == ()
    assert name in set(rank_samplers(prepare_frame(rows))["metric"])
    assert name in {best.metric for best in best_values(means)}
    timed = points(prepare_frame(rows), "hardware")
    shown = fronts(means[means["metric"].eq(name)], timed)
    assert {front.title.split(" ")[0] for front in shown} == {name}


@pytest.mark.parametrize("name", ["foo", "my_reference", "x_exact", "fd_mnist"])
def test_an_error_of_any_name_has_an_order(few: pd.DataFrame, name: str) -> None:
    rows = _numbers(few, ("quality_of_it", "quality", ""), (name, "error", ""))
    means = points(prepare_frame(rows))
    (found,) = error_fits(means)
    assert {order.metric for order in found.orders} == {name}
    shown = fronts(means, points(prepare_frame(rows), "hardware"))
    assert {front.title.split(" ")[0] for front in shown} == {"quality_of_it"}


def test_the_page_fits_orders_to_errors_alone(few: pd.DataFrame, report_on: ReportOn) -> None:
    rows = _numbers(few, ("error_rate", "quality", ""), ("foo", "error", ""))
    found = report_on(rows)
    assert sum(path.name.startswith("order-") for path in found.figures) == 3  # of three kinds
    assert set(pd.read_csv(found.tables[2])["metric"]) == {"foo"}


@pytest.mark.parametrize(
    ("number", "truth"), [("a", "b"), ("likelihood", "truth"), ("x_exact", "x")]
)
def test_a_number_is_judged_by_the_exact_one_that_belongs_to_it(
    few: pd.DataFrame, number: str, truth: str
) -> None:
    rows = _numbers(few, (number, "diagnostic", ""), (truth, "exact", number))
    low = rows["metric"].eq(number) & rows["sampler"].eq("ddim")
    rows.loc[rows["metric"].eq(truth) & rows["value"].notna(), "value"] = 0.0
    rows.loc[low & rows["value"].notna(), "value"] = -1e6
    assert _declared(rows)[:2] == ([number], {number: truth})
    means = points(prepare_frame(rows))
    own = means[means["metric"].eq(number)]
    assert own.loc[own["rank"].idxmax(), "curve"] == "ddim"
    assert {best.metric for best in best_values(means)} == {number}


@pytest.mark.parametrize("role", ["quality", "diagnostic"])
def test_a_model_without_the_exact_number_is_judged_by_direction(
    few: pd.DataFrame, report_on: ReportOn, role: str
) -> None:
    """An accuracy that one model has the exact value of, and another has not."""
    known = _numbers(few, ("accuracy", role, ""), ("truth", "exact", "accuracy"))
    known.loc[known["metric"].eq("truth") & known["value"].notna(), "value"] = 0.0
    images = _numbers(few, ("accuracy", role, "")).assign(model="other")
    images["key"] = images["key"] + "-other"
    rows = pd.concat([known, images], ignore_index=True)
    if role == "quality":
        rows.loc[rows["metric"].eq("accuracy"), "larger_is_better"] = True
    frame = prepare_frame(rows)
    means = points(frame)
    best = {one.subject.model: one.value for one in best_values(means)}
    values = means[means["metric"].eq("accuracy")].groupby("model")["value"]
    assert best["mnist_unet"] == values.min()["mnist_unet"]  # the nearest to zero
    found = problems(frame)
    if role == "quality":
        assert best["other"] == values.max()["other"]
        assert len(found.table) == 2 * len(found.table["budget"].unique())
    else:
        assert set(best) == {"mnist_unet"}
    reached = found.points[~found.points["over_budget"]]
    assert (reached["cost"] < float("inf")).any()
    assert report_on(rows).page.is_file()


def test_the_error_of_a_number_with_an_exact_one_counts_once(few: pd.DataFrame) -> None:
    rows = _numbers(
        few, ("a", "diagnostic", ""), ("b", "exact", "a"), ("c", "error", "a"), ("d", "error", "")
    )
    assert set(problems(prepare_frame(rows)).table["metric"]) == {"c", "d"}


def test_the_reference_of_an_error_is_its_floor(few: pd.DataFrame) -> None:
    rows = _numbers(few, ("e", "error", ""), ("own", "reference", "e"))
    rows.loc[rows["metric"].eq("own") & rows["value"].notna(), "value"] = 1e3
    (found,) = error_fits(points(prepare_frame(rows)))
    assert found.level == 1e3
    assert set(problems(prepare_frame(rows)).rows["floor"]) == {1e3}


def test_a_diagnostic_belongs_to_a_number_and_judges_none(few: pd.DataFrame) -> None:
    rows = _numbers(few, ("kid", "quality", ""), ("kid_std", "diagnostic", "kid"))
    assert _declared(rows) == (["kid", "kid_std"], {}, {}, set())
    assert {best.metric for best in best_values(points(prepare_frame(rows)))} == {"kid"}


def test_heat_maps_show_a_quality_and_an_error(results: pd.DataFrame) -> None:
    few = results[results["model"].eq("mnist_unet") & results["metric"].eq("fd_mnist")]
    rows = _numbers(few, ("foo", "error", ""), ("error_rate", "quality", ""), ("z", "quality", ""))
    frame = prepare_frame(pd.concat([rows, rows.assign(grid="uniform")], ignore_index=True))
    parts = frame[["curve", "base", "sampler", "with_corrector", "on_grid"]].drop_duplicates()
    shown = sheets(points(frame), parts, "sampler", "on_grid")
    assert [sheet.label.split(" ")[0] for sheet in shown] == ["error_rate", "foo"]


def test_what_failed_counts_for_the_metric_that_it_would_have_given(results: pd.DataFrame) -> None:
    """A failed cell has rows of the metrics' names, and nothing to tell roles and directions by."""
    failed = results[results["status"].isin(("failed", "diverged", "timeout"))]
    assert len(failed)
    assert failed["role"].eq("").all()
    assert failed["larger_is_better"].isna().all()
    rows = problems(prepare_frame(results)).rows
    lost = rows[~rows["usable"]]
    ranked = failed[failed["metric"].isin(["fd_mnist", "fd_digits", "nll_bpd", "rmse"])]
    assert len(lost) == len(ranked)
    assert lost["cost"].eq(float("inf")).all()


def test_a_table_without_roles_is_read(results: pd.DataFrame, tmp_path: Path) -> None:
    frame = prepare_frame(results.drop(columns=["role", "belongs_to"]))
    assert primary(frame) == list(results["metric"].unique())
    assert exact_partners(frame) == references(frame) == {}
    assert not errors(frame)
