"""Figures of guided samples show what was kept, and what a gradient costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from bench.extensions.data import SubjectData
from bench.report.data.prepare import prepare
from bench.report.drawing.canvas import PageCanvas, matplotlib_style
from bench.report.source import read
from bench.report.styles import curve_styles
from bench.results.frame import prepare_frame
from bench.results.schema import COLUMNS
from bench.results.store import Row, Store
from bench_guided_figures import answers, gradients, posteriors
from bench_guided_figures.cells import sheets

GUIDANCE = ("exact", "dps")
Arrays = dict[str, npt.NDArray[Any]]


def _row(**known: Any) -> Row:
    row: Row = {column.name: None for column in COLUMNS}
    row |= {"run": "r", "suite": "s", "model": "m", "process": "vp", "grid": "karras"}
    row |= {"task": "inpainting", "solver": "ddim", "solver_kind": "ode_solver", "corrector": ""}
    row |= {"metric": "swd", "larger_is_better": False, "role": "quality", "status": "ok"}
    return row | {"value": 1.0, "samples": 100, "seed": 0, "unit": "1", "guidance": ""} | known


def _run(root: Path, arrays: Arrays, samples: npt.NDArray[Any]) -> SubjectData:
    """A run of two guidances at two budgets, each of which kept the same."""
    store, keys = Store(root), []
    for guidance in GUIDANCE:
        for budget in (10, 40):
            key = f"{guidance}{budget}"
            row = _row(key=key, guidance=guidance, sampler=f"ddim with {guidance}")
            row |= {"budget": budget, "nfe": float(budget), "sample_wall_s": 1.0}
            store.write(key, [row], samples, None, arrays)
            keys.append(key)
    store.write_plan("r", keys)
    (subject,) = prepare(read(root, None)).subjects
    return subject


def _canvas(subject: SubjectData) -> PageCanvas:
    return PageCanvas(curve_styles(subject.rows))


def _drawn(subject: SubjectData, figure: Any) -> list[tuple[str, PageCanvas]]:
    """The caption and the canvas of each view."""
    found = []
    with matplotlib_style():
        for view in figure.views(subject):
            canvas = _canvas(subject)
            found.append((str(view.draw(canvas)), canvas))
    return found


@pytest.fixture
def points(tmp_path: Path) -> SubjectData:
    """Points of two questions, around 0 and around 10, the posteriors too."""
    number = np.array([0] * 6 + [1] * 6)
    x = (10.0 * number[:, None] + np.linspace(-1, 1, 12)[:, None] * [1, 0.5]).astype(np.float32)
    exact = np.stack([x[:6], x[6:]]) + np.float32(0.1)
    return _run(tmp_path / "run", {"number": number, "truth": x, "exact": exact}, x)


@pytest.fixture
def images(tmp_path: Path) -> SubjectData:
    """Images of three questions, two of each, whose grey tells question and draw."""
    number = np.array([0, 0, 1, 1, 2, 2])
    grey = (10 * number + [0, 1] * 3).astype(np.uint8)
    x = np.broadcast_to(grey[:, None, None, None], (6, 1, 4, 4)).copy()
    return _run(tmp_path / "run", {"number": number, "observation": x + 100, "truth": x + 200}, x)


def test_points_lie_over_the_posterior_of_their_own_question(points: SubjectData) -> None:
    found = _drawn(points, posteriors)
    assert len(found) == 2  # budgets
    for caption, canvas in found:
        assert caption.startswith("Columns are questions: exact samples of the posterior")
        panels = [axes for axes in canvas.figure.axes if axes.get_lines()]
        assert len(panels) == 4
        for axes in panels:
            exact, drawn, truth = (line.get_xdata() for line in axes.get_lines())
            place = 10.0 if axes.get_xlim()[0] > 5 else 0.0
            assert abs(np.mean(exact) - place) < 1
            assert len(drawn) == 6
            assert len(truth) == 1
            assert np.abs(np.asarray(drawn) - place).max() <= 1


def test_observation_truth_and_samples_stand_side_by_side(images: SubjectData) -> None:
    found = _drawn(images, answers)
    assert len(found) == 2
    _, canvas = found[0]
    panels = canvas.figure.axes
    assert len(panels) == 3 * 4  # questions by observation, truth and two samplers
    shown = [np.asarray(axes.get_images()[0].get_array()) for axes in panels]
    # columns come one after another, each with its three questions
    assert [int(a[0, 0]) for a in shown[:6]] == [100, 110, 120, 200, 210, 220]
    assert [a.shape for a in shown[6:]] == [(4, 8)] * 6
    assert [(int(a[0, 0]), int(a[0, 7])) for a in shown[6:9]] == [(0, 1), (10, 11), (20, 21)]
    titles = [axes.get_title(loc="left") for axes in panels if axes.get_title(loc="left")]
    assert titles == ["observation", "truth", "ddim with dps", "ddim with exact"]


def test_each_figure_takes_its_own_kind(points: SubjectData, tmp_path: Path) -> None:
    assert list(answers.views(points)) == []
    assert len(list(posteriors.views(points))) == 2


def test_images_have_no_posterior(images: SubjectData) -> None:
    assert list(posteriors.views(images)) == []


def test_what_is_damaged_is_left_out(points: SubjectData, tmp_path: Path) -> None:
    path = tmp_path / "run" / "answers" / "exact40.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert [sorted(sheet.kept) for sheet in sheets(points)] == [
        ["ddim with dps", "ddim with exact"],
        ["ddim with dps"],
    ]


def test_without_a_task_there_is_nothing_to_answer(results: pd.DataFrame, run: Path) -> None:
    for subject in prepare(read(run, None)).subjects:
        for figure in (answers, posteriors, gradients):
            assert list(figure.views(subject)) == []


def _costs(*cells: dict[str, Any]) -> pd.DataFrame:
    rows = [
        _row(key=str(i), metric_n=100, sample_wall_s=100 * cell.pop("ms") / 1e3, **cell)
        for i, cell in enumerate(cells)
    ]
    return prepare_frame(pd.DataFrame(rows))


def test_the_price_of_a_gradient_in_evaluations() -> None:
    """1 ms an evaluation, 2.5 ms a VJP."""
    frame = _costs(
        {"sampler": "plain", "budget": 20, "nfe": 20.0, "vjp": 0.0, "ms": 20.0},
        {"sampler": "dps", "budget": 20, "nfe": 10.0, "vjp": 10.0, "ms": 35.0, "guidance": "dps"},
    )
    found = gradients.costs(frame)
    assert found.loc["dps", ["forward", "vjp", "ms"]].tolist() == pytest.approx([10, 10, 35])
    assert found.loc["dps", "ms_per_pass"] == pytest.approx(1.75)
    assert found.loc["dps", "ratio"] == pytest.approx(2.5)
    assert np.isnan(found.loc["plain", "ratio"])


def test_without_plain_cells_of_the_machine_the_price_is_not_told() -> None:
    guided = {"sampler": "dps", "guidance": "dps", "budget": 20, "nfe": 10.0, "vjp": 10.0}
    other = {"sampler": "plain", "budget": 20, "nfe": 20.0, "vjp": 0.0, "ms": 20.0}
    frame = _costs({**guided, "ms": 35.0, "device": "A"}, {**other, "device": "B"})
    assert gradients.costs(frame)["ratio"].isna().all()
    assert gradients.costs(_costs({**guided, "ms": 35.0}))["ratio"].isna().all()
    assert gradients.costs(frame.assign(wall_per_sample_s=np.nan)).empty


def test_the_bars_are_drawn_at_the_largest_budget_that_most_have(points: SubjectData) -> None:
    ((caption, canvas),) = _drawn(points, gradients)
    assert caption.startswith("At a budget of 40 NFE")
    assert [len(axes.patches) for axes in canvas.figure.axes] == [4, 2, 2]
