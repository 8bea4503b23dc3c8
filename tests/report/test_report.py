"""The report as a whole: what it writes and what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.core.errors import BenchError
from bench.report import Report, write_report
from bench.report.styles import curve_styles
from bench.results.frame import prepare_frame
from bench.results.parquet_file import pack

ReportOn = Callable[[pd.DataFrame], Report]


class Page(HTMLParser):
    """What a browser would fetch, run or read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        links = {"src", "href", "xlink:href", "srcset", "action", "data"}
        self.links += [value or "" for name, value in attrs if name in links]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.texts).split())


def page_of(report: Report) -> Page:
    return Page(report.page.read_text(encoding="utf-8"))


def test_all_files_are_there(report: Report) -> None:
    stems = {path.stem for path in report.figures}
    assert len(stems) == 17
    for suffix, least in ((".svg", 17), (".pdf", 12), (".png", 12)):
        assert sum(path.suffix == suffix for path in report.figures) == least
    for path in (report.page, *report.figures, *report.tables):
        assert path.stat().st_size > 0
    names = [path.name for path in report.tables]
    assert names[:5] == ["table.csv", "points.csv", "orders.csv", "ranks.csv", "best.csv"]
    assert sum(name.startswith("tables-") for name in names) == 4
    assert names[-2:] == ["methods.tex", "references.bib"]


def test_figures_are_sound(report: Report) -> None:
    for path in report.figures:
        if path.suffix == ".svg":
            ElementTree.parse(path)
        elif path.suffix == ".pdf":
            assert path.read_bytes().startswith(b"%PDF")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


def test_the_page_asks_for_nothing_from_outside(report: Report) -> None:
    page = page_of(report)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.links)
    assert not re.search(r"url\((?!['\"]?#)", report.page.read_text(encoding="utf-8"))
    assert not page.handlers
    assert not {"link", "img", "iframe", "object", "embed", "base", "audio", "video"} & page.tags
    html = report.page.read_text(encoding="utf-8")
    assert not re.search(r"@import|@font-face|fetch\(|XMLHttpRequest|import\(", html)
    assert report.page.stat().st_size < 3_000_000


def test_references_within_the_page_have_their_targets(report: Report) -> None:
    page = page_of(report)
    inner = {link[1:] for link in page.links if link.startswith("#")}
    inner |= set(re.findall(r"url\(#([^)]+)\)", report.page.read_text(encoding="utf-8")))
    assert inner <= set(page.ids)


def test_figures_follow_the_colour_scheme(report: Report) -> None:
    html = report.page.read_text(encoding="utf-8")
    figures = html[html.index("<figure") :]
    assert "var(--text)" in figures
    assert "#1b1f24" not in figures
    assert "prefers-color-scheme: dark" in html


def test_every_reason_is_on_the_page(report: Report, results: pd.DataFrame) -> None:
    text = page_of(report).text
    reasons = set(results["reason"]) - {""}
    assert len(reasons) >= 5
    for reason in reasons:
        assert reason in text


def test_every_sampler_and_metric_is_on_the_page(report: Report, results: pd.DataFrame) -> None:
    text = page_of(report).text
    for name in (*results["sampler"].unique(), *results["metric"].unique()):
        assert name in text


def test_protocol_is_on_the_page(report: Report, results: pd.DataFrame) -> None:
    text = page_of(report).text
    for column in ("weights", "reference_hash", "solver_source", "device", "torch", "core"):
        assert column in text
        for value in results.loc[results["status"].eq("ok"), column].unique():
            assert str(value) in text
    assert "Not all" not in text


def test_orders_are_recovered(report: Report) -> None:
    orders = pd.read_csv(report.tables[2])
    of_points = orders[orders["subject"].str.startswith("toys") & orders["metric"].eq("rmse")]
    of_points = of_points.set_index("curve")["slope"]
    for name, order in {"ddim": 1, "heun": 2, "deis(order=3)": 3, "rk4": 4, "rk45": 5}.items():
        assert of_points[name] == pytest.approx(order, abs=0.2)


def test_the_table_holds_all_rows(report: Report, results: pd.DataFrame) -> None:
    table = pd.read_csv(report.tables[0])
    assert len(table) == len(results)
    assert list(table.columns) == list(results.columns)


def test_a_sampler_looks_the_same_in_all_figures(results: pd.DataFrame) -> None:
    found = curve_styles(prepare_frame(results))
    again = curve_styles(prepare_frame(results.sample(frac=1.0, random_state=1)))
    assert found == again
    assert len({(style.heading, style.color, style.marker) for style in found.values()}) == len(
        found
    )


def test_writing_twice_gives_the_same_page(results: pd.DataFrame, report_on: ReportOn) -> None:
    few = results[results["metric"].eq("fd_mnist")]
    once = report_on(few).page.read_bytes()
    assert report_on(few).page.read_bytes() == once


def test_a_different_protocol_is_said(results: pd.DataFrame, report_on: ReportOn) -> None:
    one = results[results["metric"].eq("fd_mnist")].copy()
    one.loc[one["sampler"].eq("heun"), "metric_n"] = 50
    text = page_of(report_on(one)).text
    assert "Not all values are comparable" in text
    assert "differ in metric_n" in text
    assert "protocol B" in text


def test_different_hardware_is_said(results: pd.DataFrame, report_on: ReportOn) -> None:
    one = results[results["metric"].eq("fd_mnist")].copy()
    one.loc[one["sampler"].eq("heun"), "threads"] = 8
    text = page_of(report_on(one)).text
    assert "Not all timings are comparable" in text
    assert "Not all values are comparable" not in text


def test_results_without_a_single_value_still_give_a_report(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    failed = results.assign(value=None, std_error=None, nfe=None, status="failed", reason="boom")
    report = report_on(failed[failed["model"].eq("mnist_unet")])
    text = page_of(report).text
    assert "No cell has a usable value" in text
    assert "boom" in text
    assert report.figures == ()


def test_results_without_rows_still_give_a_report(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    assert "The results hold no rows" in page_of(report_on(results.iloc[:0])).text


def test_one_budget_and_one_seed_suffice(results: pd.DataFrame, report_on: ReportOn) -> None:
    few = results[results["budget"].eq(10) & results["seed"].eq(0)]
    report = report_on(few[few["model"].eq("gaussian_mixture")])
    assert len({path.stem for path in report.figures}) == 5
    assert "have no known error" in page_of(report).text


def test_adaptive_solvers_alone_suffice(results: pd.DataFrame, report_on: ReportOn) -> None:
    few = results[results["solver_kind"].eq("adaptive") & results["model"].eq("mnist_unet")]
    assert "any NFE" in page_of(report_on(few)).text


def test_a_value_missing_from_an_ok_row_is_listed(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    few = results[results["metric"].eq("fd_mnist")].copy()
    few.loc[few["sampler"].eq("heun"), "value"] = None
    assert "the value is missing or not finite" in page_of(report_on(few)).text


def test_negative_and_equal_values_can_be_drawn(results: pd.DataFrame, report_on: ReportOn) -> None:
    few = results[results["metric"].eq("fd_mnist")]
    assert report_on(few.assign(metric="log_likelihood", value=-3.0)).figures


def test_no_results_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="bench run"):
        write_report(tmp_path, tmp_path / "report")


def test_an_unwritable_folder_is_an_error_with_a_remedy(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="choose another folder"):
        write_report(run, tmp_path / "file" / "report")


def test_damaged_samples_are_no_obstacle(
    results: pd.DataFrame, report_on: ReportOn, tmp_path: Path
) -> None:
    few = results[results["metric"].eq("fd_mnist") & results["sampler"].eq("ddim")]
    folder = tmp_path / "run" / "samples"
    folder.mkdir(parents=True)
    for key in few["key"]:
        (folder / f"{key}.npy").write_bytes(b"not an array")
    report = report_on(few)
    assert len(report.figures) == 3 * 3
    assert len(report.damaged) == few["key"].nunique()
    for line in report.damaged:
        assert "is damaged (it has no checksum)" in line
        assert line in page_of(report).text


def test_reports_do_not_import_torch() -> None:
    code = "import sys, bench.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_of_a_former_report_are_removed_and_others_kept(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    first = report_on(results[results["metric"].eq("rmse")])
    folder = first.page.parent
    assert list(folder.glob("order-*.svg"))
    (folder / "mine.svg").write_text("mine")
    (folder / "order-99-mine.svg").write_text("mine")
    second = report_on(results[results["metric"].eq("fd_mnist")])
    assert [path.name for path in folder.glob("order-*")] == ["order-99-mine.svg"]
    assert (folder / "mine.svg").exists()
    assert all(path.exists() for path in (second.page, *second.figures, *second.tables))


def test_a_false_list_of_files_deletes_nothing_elsewhere(
    results: pd.DataFrame, report_on: ReportOn, tmp_path: Path
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "precious.csv").write_text("mine")
    (tmp_path / "report" / "README").write_text("mine")
    (tmp_path / "report" / ".report.json").write_text('["../precious.csv", "README", 3, null]')
    report_on(results[results["metric"].eq("fd_mnist")])
    assert (tmp_path / "precious.csv").exists()
    assert (tmp_path / "report" / "README").exists()


def test_tables_of_an_earlier_version_have_a_report(
    results: pd.DataFrame, report_on: ReportOn
) -> None:
    report = report_on(results[results["model"].eq("mnist_unet")])
    run = report.page.parent.parent / "run"
    (cell,) = (run / "cells").iterdir()
    late = ["note", "nfe_unspent", "calibration_evaluations", "batch_coupled", "peak_memory_mib"]
    cell.write_bytes(pack(pq.read_table(cell).drop_columns(late), f"cells/{cell.stem}"))
    again = write_report(run, report.page.parent)
    assert page_of(again).text == page_of(report).text


def test_another_run_is_shown_behind_this_one(
    results: pd.DataFrame, report_in: Callable[[Path, pd.DataFrame], Report], tmp_path: Path
) -> None:
    few = results[results["metric"].eq("fd_mnist")]
    report_in(tmp_path / "base", few.assign(value=few["value"] * 1.5))
    report_in(tmp_path / "head", few)
    out = tmp_path / "out"
    found = write_report(tmp_path / "head" / "run", out, str(tmp_path / "base" / "run"))
    text = page_of(found).text
    assert "Dashed grey" in text
    assert "comparisons:" in text
    plain = write_report(tmp_path / "head" / "run", tmp_path / "plain")
    assert "Dashed grey" not in page_of(plain).text


def test_a_run_of_another_protocol_is_not_laid_over(
    results: pd.DataFrame, report_in: Callable[[Path, pd.DataFrame], Report], tmp_path: Path
) -> None:
    few = results[results["metric"].eq("fd_mnist")]
    report_in(tmp_path / "base", few.assign(metric_n=77))
    report_in(tmp_path / "head", few)
    found = write_report(tmp_path / "head" / "run", tmp_path / "o", str(tmp_path / "base" / "run"))
    assert "Dashed grey" not in page_of(found).text


def test_a_run_to_compare_with_that_is_not_there_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError):
        write_report(run, tmp_path / "report", str(tmp_path / "nothing"))


def test_as_many_figures_are_drawn_as_asked(
    run: Path, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {path.stem for path in report.figures}
    two = write_report(run, tmp_path / "two", most=2)
    assert len(every) > len({path.stem for path in two.figures}) == 2
    page = two.page.read_text(encoding="utf-8")
    assert "bench report RUN --figures 0" in page
    monkeypatch.setattr("bench.report.report.LARGE_ROWS", 10)
    monkeypatch.setattr("bench.report.report.LARGE_FIGURES", 1)
    assert len({path.stem for path in write_report(run, tmp_path / "large").figures}) == 1
    assert {path.stem for path in write_report(run, tmp_path / "all", most=0).figures} == every
