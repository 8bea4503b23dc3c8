"""Heat maps show the means of the cells that they stand for."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.report.drawing.canvas import PageCanvas
from bench.report.figures.heat import draw, sheets
from bench.results.frame import points, prepare_frame

PARTS = ["curve", "base", "sampler", "with_corrector", "on_grid"]


@pytest.fixture(scope="module")
def frame(results: pd.DataFrame) -> pd.DataFrame:
    """Two predictors with and without a corrector, on two grids."""
    one = results[results["model"].eq("mnist_unet") & results["metric"].eq("fd_mnist")]
    rows = []
    for solver in ("ancestral", "euler_maruyama"):
        for corrector in ("", "langevin"):
            for grid in ("karras", "uniform"):
                name = f"{solver} + {corrector}" if corrector else solver
                rows.append(
                    one[one["sampler"].eq(solver)].assign(
                        sampler=name, corrector=corrector, grid=grid, value=len(rows) + 1.0
                    )
                )
    return prepare_frame(pd.concat(rows, ignore_index=True))


def test_predictors_by_correctors(frame: pd.DataFrame) -> None:
    (sheet,) = sheets(points(frame), frame[PARTS].drop_duplicates(), "base", "with_corrector")
    assert [budget for budget, _ in sheet.panels] == ["NFE ≤ 5", "NFE ≤ 20", "NFE ≤ 40"]
    table = sheet.panels[0][1]
    # a grid is part of the line: two grids are never averaged
    assert list(table.index) == [
        f"{solver} on {grid}"
        for solver in ("ancestral", "euler_maruyama")
        for grid in ("karras", "uniform")
    ]
    assert list(table.columns) == ["langevin", "none"]
    assert list(table.to_numpy().ravel()) == [3.0, 1.0, 4.0, 2.0, 7.0, 5.0, 8.0, 6.0]


def test_solvers_by_grids(frame: pd.DataFrame) -> None:
    (sheet,) = sheets(points(frame), frame[PARTS].drop_duplicates(), "sampler", "on_grid")
    table = sheet.panels[-1][1]
    assert table.loc["ancestral + langevin", "uniform"] == 4.0
    assert list(table.columns) == ["karras", "uniform"]
    canvas = PageCanvas({})
    assert draw((sheet,), canvas)
    assert canvas.figure.axes


def test_one_corrector_is_nothing_to_compare(results: pd.DataFrame) -> None:
    frame = prepare_frame(results[results["corrector"].eq("") & results["metric"].eq("fd_mnist")])
    assert sheets(points(frame), frame[PARTS].drop_duplicates(), "base", "with_corrector") == ()
