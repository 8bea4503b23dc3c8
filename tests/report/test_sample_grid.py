"""Which samples stand where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from bench.report.drawing.canvas import PageCanvas, matplotlib_style
from bench.report.drawing.sample_layout import sample_grid
from bench.report.figures.samples import draw
from bench.report.styles import curve_styles
from bench.results.array_file import pack
from bench.results.frame import prepare_frame


def kept(folder: Path, frame: pd.DataFrame, samples: npt.NDArray[np.generic]) -> Path:
    """A folder with the same samples for every cell."""
    own = folder / "samples"
    own.mkdir()
    for key in frame["key"].unique():
        (own / f"{key}.npy").write_bytes(pack(samples, f"samples/{key}"))
    return own


@pytest.fixture(scope="module")
def frame(results: pd.DataFrame) -> pd.DataFrame:
    """The rows of one model."""
    table = prepare_frame(results)
    return table[table["model"].eq("mnist_unet")]


def test_cells_stand_at_their_budget_for_the_lowest_seed(frame: pd.DataFrame) -> None:
    grid = sample_grid(frame, curve_styles(frame))
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
    grid = sample_grid(frame, curve_styles(frame))
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
    grid = sample_grid(many, curve_styles(many))
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
    canvas = PageCanvas(curve_styles(few))
    with matplotlib_style():
        assert draw(few, kept(tmp_path, few, samples), 10, canvas) is not None
        files, _ = canvas.save("name", tmp_path, printed=True)
    assert [path.suffix for path in files] == [".svg", ".pdf", ".png"]
    assert all(path.exists() for path in files)


def test_points_that_are_not_finite_are_no_obstacle(frame: pd.DataFrame, tmp_path: Path) -> None:
    few = frame[frame["curve"].eq("ddim")]
    samples = np.full((10, 2), np.nan, dtype=np.float32)
    canvas = PageCanvas(curve_styles(few))
    with matplotlib_style():
        assert draw(few, kept(tmp_path, few, samples), 10, canvas) is not None


def test_no_samples_give_no_figure(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert draw(frame, tmp_path, 10, PageCanvas(curve_styles(frame))) is None
