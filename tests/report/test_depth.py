"""Depth beside NFE: drawn where methods evaluate in parallel, and not elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bench.report import Report
from bench.results.frame import points, prepare_frame

ReportOn = Callable[[pd.DataFrame], Report]


def _rows(results: pd.DataFrame) -> pd.DataFrame:
    """A quality and an error of one model and two samplers, all of them sequential."""
    found = results[results["model"].eq("mnist_unet") & results["sampler"].isin(["ddim", "heun"])]
    return found[found["metric"].isin(["fd_mnist", "rmse"])].assign(depth=found["nfe"])


def _half_as_deep(rows: pd.DataFrame) -> pd.DataFrame:
    parallel = rows["sampler"].eq("heun")
    return rows.assign(depth=rows["nfe"].where(~parallel, rows["nfe"] / 2))


def test_points_have_the_depth_of_their_rows(results: pd.DataFrame) -> None:
    means = points(prepare_frame(_half_as_deep(_rows(results))))
    share = means["depth"] / means["nfe"]
    assert set(share[means["curve"].eq("ddim")]) == {1.0}
    assert set(share[means["curve"].eq("heun")]) == {0.5}


def test_every_metric_is_drawn_against_the_depth_too(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    found = report_on(_half_as_deep(_rows(results)))
    (figure,) = (p for p in found.figures if p.match("nfe-*-depth.svg"))
    text = figure.read_text(encoding="utf-8")
    assert "evaluations in sequence" in text
    assert "Depth versus every metric" in found.page.read_text(encoding="utf-8")
    assert "depth" in pd.read_csv(found.tables[1]).columns


def test_where_all_evaluations_wait_there_is_one_axis(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    found = report_on(_rows(results))
    assert not any("depth" in path.name for path in found.figures)
    assert "Depth versus" not in found.page.read_text(encoding="utf-8")
