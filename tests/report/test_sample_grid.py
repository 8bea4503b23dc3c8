"""Which samples stand where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.report.canvas import save, style
from bench.report.looks import looks
from bench.report.sample_fields import Array
from bench.report.sample_grid import Folder, draw
from bench.report.sample_layout import layout
from bench.results.frame import prepared


@dataclass(frozen=True)
class Always:
    """The same samples for every cell."""

    samples: Array

    def read(self, key: str) -> Array:
        return self.samples


@pytest.fixture(scope="module")
def frame(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of one model."""
    table = prepared(results)
    return table[table["model"].eq("mnist_unet")]


def test_cells_stand_at_their_budget_for_the_lowest_seed(frame: pd.DataFrame) -> None:
    grid = layout(frame, looks(frame))
    assert grid is not None
    assert grid.budgets == (5, 10, 20, 40)
    assert grid.seed == 0
    rows = frame.set_index("key")
    for cell in grid.cells:
        row = rows.loc[cell.key].iloc[0]
        assert row["curve"] == grid.curves[cell.row]
        assert row["seed"] == 0
        assert cell.adaptive or row["budget"] == grid.budgets[cell.column]


def test_adaptive_cells_stand_at_the_nearest_budget(frame: pd.DataFrame) -> None:
    grid = layout(frame, looks(frame))
    assert grid is not None
    # NFE 14 is nearer to 10 than to 20 in proportion; of 34 and 62, 34 is nearer to 40
    assert sorted((c.column, c.nfe) for c in grid.cells if c.adaptive) == [
        (1, 14),
        (2, 21),
        (3, 34),
    ]


def test_wide_grids_are_thinned_but_keep_their_ends(frame: pd.DataFrame) -> None:
    fixed = frame[frame["curve"].eq("ddim") & frame["budget"].eq(5)].iloc[:1]
    many = pd.concat([fixed.assign(budget=float(b), key=str(b)) for b in range(1, 31)])
    grid = layout(many, looks(many))
    assert grid is not None
    assert len(grid.budgets) == 8
    assert (grid.budgets[0], grid.budgets[-1]) == (1, 30)


@pytest.mark.parametrize(
    "shape", [(3, 1, 8, 8), (1, 1, 4, 6), (9, 3, 32, 32), (50, 2), (50, 5), (7, 1)]
)
def test_samples_of_any_shape_are_drawn(
    frame: pd.DataFrame, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    few = frame[frame["curve"].isin(("ddim", "rk45"))]
    kind = np.uint8 if len(shape) == 4 else np.float32
    samples = np.random.default_rng(0).integers(0, 255, shape).astype(kind)
    with style():
        sketch = draw(few, Always(samples), looks(few), "title", "name", 10)
        assert sketch is not None
        drawing = save(sketch, tmp_path, printed=True)
    assert [path.suffix for path in drawing.files] == [".svg", ".pdf", ".png"]
    assert all(path.exists() for path in drawing.files)


def test_points_that_are_not_finite_are_no_obstacle(frame: pd.DataFrame) -> None:
    few = frame[frame["curve"].eq("ddim")]
    samples = np.full((10, 2), np.nan, dtype=np.float32)
    with style():
        assert draw(few, Always(samples), looks(few), "title", "name", 10) is not None


def test_no_samples_give_no_figure(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert draw(frame, Folder(tmp_path), looks(frame), "title", "name", 10) is None
