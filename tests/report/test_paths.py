"""Pictures of paths: read with care, one figure for each model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.report.drawing.canvas import PageCanvas, matplotlib_style
from bench.report.figures.paths import draw, pictures
from bench.results.array_file import packed_many

SUBJECTS = [("mix", process) for process in ("ve", "vp", "subvp")]


def write(folder: Path, process: str, **changed: object) -> None:
    """The paths of a process, well-formed unless changed."""
    about = {
        "model": "mix",
        "model_params": "{}",
        "process": process,
        "process_params": "{}",
        "dimension": 1,
    }
    random = np.random.default_rng(0)
    arrays: dict[str, object] = {
        "about": np.array(json.dumps(about)),
        "t": np.linspace(0, 1, 9),
        "x": np.linspace(-3, 3, 11),
        "density": np.zeros((9, 11), dtype=np.uint8),
        **{n: random.standard_normal((4, 9)) for n in ("forward", "reverse", "flow")},
        **changed,
    }
    folder.mkdir(exist_ok=True)
    packed = packed_many(arrays, f"paths/{process}")  # type: ignore[arg-type]
    (folder / f"{process}.npz").write_bytes(packed)


def test_one_figure_for_each_model(tmp_path: Path) -> None:
    for process in ("vp", "ve", "subvp"):
        write(tmp_path / "paths", process)
    found = pictures(tmp_path / "paths", [*SUBJECTS, *SUBJECTS], {})
    assert [picture.process for picture in found["mix"]] == ["ve", "vp", "subvp"]
    canvas = PageCanvas({})
    with matplotlib_style():
        draw(found["mix"], canvas)
        assert len(canvas.figure.axes) == 9
        assert canvas.save("name", tmp_path, printed=False)[1].count("<image") == 9


def test_paths_of_other_models_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "paths", "vp")
    assert pictures(tmp_path / "paths", [("other", "vp")], {}) == {}
    assert pictures(tmp_path / "none", SUBJECTS, {}) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"about": np.array("not json")},
        {"about": np.array("[1]")},
        {"density": np.zeros((3, 3), dtype=np.uint8)},
        {"forward": np.zeros((4, 3))},
        {"t": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_what_is_damaged_is_left_out(changed: dict[str, object], tmp_path: Path) -> None:
    write(tmp_path / "paths", "vp", **changed)
    (tmp_path / "paths" / "cut.npz").write_bytes(b"PK\x03\x04")
    assert pictures(tmp_path / "paths", SUBJECTS, {}) == {}
