"""Tasks and guidance in the report, and results of before there were any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.report.data.protocol import protocol_summary
from bench.report.figures.heat import sheets
from bench.report.methods import methods
from bench.report.summary import summary_lines
from bench.results.frame import points, prepare_frame, subjects

NEW = ["task", "task_params", "guidance", "guidance_params", "vjp"]
SCALE = '{"scale":3.0}'


@pytest.fixture(scope="module")
def guided(results: pd.DataFrame) -> pd.DataFrame:
    """Two predictors on a task, one with a corrector, under none, one and another guidance."""
    one = results[results["model"].eq("mnist_unet") & results["metric"].eq("fd_mnist")]
    rows = []
    for solver in ("ancestral", "reverse_diffusion + langevin"):
        own = one[one["sampler"].str.startswith(solver)].assign(
            task="inpainting", task_params='{"mask":"box"}', corrector_params="{}"
        )
        for guidance, params in (("", ""), ("cfg", "{}"), ("cfg", SCALE)):
            label = {"": "", "{}": " with cfg", SCALE: " with cfg(scale=3.0)"}[params]
            rows.append(
                own.assign(
                    sampler=solver + label,
                    guidance=guidance,
                    guidance_params=params,
                    value=float(len(rows)),
                    nfe=10.0,
                    vjp=4.0,
                )
            )
    return pd.concat(rows, ignore_index=True)


def test_a_curve_comes_apart_into_solver_corrector_and_guidance(guided: pd.DataFrame) -> None:
    frame = prepare_frame(guided)
    last = frame[frame["curve"].eq("reverse_diffusion + langevin with cfg(scale=3.0)")].iloc[0]
    assert last["base"] == "reverse_diffusion with cfg(scale=3.0)"
    assert last["unguided"] == "reverse_diffusion + langevin"
    assert last["with_guidance"] == "cfg(scale=3.0)"
    assert set(frame.loc[frame["guidance"].eq(""), "with_guidance"]) == {"none"}
    assert set(frame["nfe"]) == {14.0}  # what a budget pays for
    ((subject, _),) = subjects(frame)
    assert subject.title == "images: mnist_unet, inpainting(mask=box), vp"
    assert subject.name.endswith("-mnist_unet-inpainting-vp")


def test_solvers_by_guidance_are_a_heat_map(guided: pd.DataFrame) -> None:
    frame = prepare_frame(guided)
    parts = frame[["curve", "unguided", "with_guidance"]].drop_duplicates()
    (sheet,) = sheets(points(frame), parts, "unguided", "with_guidance")
    table = sheet.panels[0][1]
    assert list(table.index) == ["ancestral", "reverse_diffusion + langevin"]
    assert list(table.columns) == ["cfg", "cfg(scale=3.0)", "none"]
    assert table.to_numpy().tolist() == [[1.0, 2.0, 0.0], [4.0, 5.0, 3.0]]


def test_the_methods_name_and_cite_task_and_guidance(guided: pd.DataFrame) -> None:
    references = {"task inpainting": "Doe 2020, A task", "guidance cfg": "Roe 2021, A guidance"}
    found = methods(prepare_frame(guided), references, {})
    assert found is not None
    assert r"Tasks: \texttt{inpainting}~\cite{doe2020" in found.paragraph
    assert r"Guidance: \texttt{cfg}~\cite{roe2021" in found.paragraph
    assert "A guidance" in found.bibtex
    assert not {"inpainting", "cfg"} & set(found.unknown)


def test_what_differs_by_guidance_is_said_of_guidance(guided: pd.DataFrame) -> None:
    other = guided["guidance_params"].eq(SCALE)
    frame = prepare_frame(guided.assign(metric_n=other.map({True: 50, False: 100})))
    (found,) = (c for c in protocol_summary(frame).differing if c.column == "metric_n")
    assert ("cfg · " + SCALE, "50") in found.lines


def test_the_summary_names_the_task(guided: pd.DataFrame) -> None:
    assert "mnist_unet, inpainting(mask=box)" in "\n".join(summary_lines(guided))


def test_results_without_the_columns_read_as_before(
    results: pd.DataFrame, report_in: Any, tmp_path: Path
) -> None:
    old = results.drop(columns=NEW)
    before, now = prepare_frame(old), prepare_frame(results)
    pd.testing.assert_frame_equal(before.drop(columns="vjp"), now.drop(columns="vjp"))
    assert set(before["with_guidance"]) == {"none"}
    assert summary_lines(old) == summary_lines(results)
    page = report_in(tmp_path, old).page.read_text(encoding="utf-8")
    assert "Guidance: " not in page
