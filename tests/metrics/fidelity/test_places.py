"""What a metric is held against, and with what weights, counts by content."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.files.contents import contents
from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.weights import PublishedWeights


@pytest.fixture(name="metric")
def metric_(tiny: PublishedWeights, tmp_path: Path) -> FrechetInception:
    """Against a folder of two images."""
    from PIL import Image

    folder = tmp_path / "real"
    folder.mkdir()
    for i in range(2):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.png")
    return FrechetInception(against=str(folder))


def test_a_folder_is_what_is_in_it(metric: FrechetInception, tmp_path: Path) -> None:
    before = contents(metric)
    assert list(before) == ["against"]
    shutil.copytree(metric.against, tmp_path / "elsewhere")
    moved = replace(metric, against=str(tmp_path / "elsewhere"))
    assert contents(moved) == before
    (tmp_path / "elsewhere" / "1.png").unlink()
    assert contents(moved) != before


def test_where_a_data_set_lies_says_nothing(metric: FrechetInception, tmp_path: Path) -> None:
    told = contents(replace(metric, root=str(tmp_path)))
    assert told == {**contents(metric), "root": ""}


def test_published_weights_are_the_same_under_any_name(
    tiny: PublishedWeights, tmp_path: Path
) -> None:
    same, other = tmp_path / "same.pth", tmp_path / "other.pth"
    same.write_bytes(tiny.asset.path.read_bytes())
    other.write_bytes(same.read_bytes() + b"x")
    assert contents(InceptionScore()) == {}
    assert contents(InceptionScore(weights=str(same))) == {"weights": ""}
    assert contents(InceptionScore(weights=str(other)))["weights"].startswith("sha256:")
