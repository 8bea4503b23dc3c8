"""`bench run` names what is damaged, sets it aside, and makes it anew; nothing is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import bench
from bench.core.errors import BenchError
from bench.results.seal import DamagedError
from bench.results.store import Store

Run = Callable[..., tuple[int, list[str], str]]

PLANE = (
    "[{name: gaussian_mixture, means: [[0.5, 0.5]], stds: [0.3], weights: null}]\n"
    "    dtype: float64"
)

Told = Callable[..., tuple[int, list[str], str, str]]

ROOT = Path("results/b")
ASIDE = ROOT / "set-aside"
SOLVERS = ["ddim", "heun", "ancestral"]


@pytest.fixture
def run(told: Told) -> Run:
    """`bench run` of three cells; gives the exit code, what ran, and what was printed."""

    def call(*more: str) -> tuple[int, list[str], str]:
        code, ran, out, err = told(*more)
        return code, ran, out + err

    return call


def numbers() -> pd.DataFrame:
    """What was measured, without times and memory."""
    frame = bench.load_results(ROOT)
    return frame[["key", "solver", "metric", "value", "std_error", "status", "reason"]]


def key(solver: str) -> str:
    """Of the cell of this solver."""
    frame = bench.load_results(ROOT)
    return str(frame[frame.solver == solver]["key"].iloc[0])


def place(kind: str, solver: str) -> Path:
    """A file of a cell."""
    ends = {"cells": "parquet", "samples": "npy", "evidence": "safetensors"}
    return ROOT / kind / f"{key(solver)}.{ends[kind]}"


def cut(path: Path) -> None:
    """Lose the end."""
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    """Change a bit in the middle."""
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 4
    path.write_bytes(whole)


def replaced(put: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else where the file was."""

    def damage(path: Path) -> None:
        path.unlink()
        put(path)

    return damage


def folder(path: Path) -> None:
    """A folder with something in it."""
    path.mkdir()
    (path / "inner").write_text("mine", encoding="utf-8")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "bit": flip,
    "cut": cut,
    "empty": lambda path: os.truncate(path, 0),
    "folder": replaced(folder),
    "loop": replaced(lambda path: path.symlink_to(path.name)),
    "nowhere": replaced(lambda path: path.symlink_to("nowhere")),
    "pipe": replaced(os.mkfifo),
}


@pytest.mark.parametrize("kind", ["cells", "samples", "evidence"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_a_cell_is_set_aside_and_the_cell_runs_again(
    damage: str, kind: str, run: Run
) -> None:
    run()
    expected, path = numbers(), place(kind, "heun")
    DAMAGES[damage](path)
    code, ran, said = run()
    assert (code, ran) == (0, ["heun"])
    assert f"damaged: {path} " in said
    assert os.path.lexists(ASIDE / path.relative_to(ROOT))
    assert path.is_file()
    assert_frame_equal(numbers(), expected)
    assert run()[:2] == (0, [])
    assert [p.name for p in ASIDE.rglob("*") if p.parent.parent == ASIDE] == [path.name]


def test_what_was_set_aside_is_as_it_was_and_stays(run: Run) -> None:
    run()
    path = place("cells", "heun")
    kept = []
    for _ in range(3):
        flip(path)
        kept.append(path.read_bytes())
        assert run()[1] == ["heun"]
    names = [f"{path.name}{end}" for end in ("", ".2", ".3")]
    assert [(ASIDE / "cells" / name).read_bytes() for name in names] == kept


def test_exchanged_cells_run_again(run: Run) -> None:
    run()
    expected = numbers()
    one, other = place("cells", "ddim"), place("cells", "heun")
    spare = one.with_name("spare")
    one.rename(spare)
    other.rename(one)
    spare.rename(other)
    with pytest.raises(BenchError, match="is in the wrong place"):
        bench.load_results(ROOT)
    code, ran, said = run()
    assert (code, ran) == (0, ["ddim", "heun"])
    assert said.count("is in the wrong place (it was written as cells/") == 2
    assert_frame_equal(numbers(), expected)


def test_a_cell_of_another_run_under_a_name_of_this_one_runs_again(run: Run) -> None:
    run()
    expected, path = numbers(), place("cells", "heun")
    text = Path("b.yaml").read_text(encoding="utf-8")
    Path("b.yaml").write_text(text.replace("samples: 64", "samples: 65"), encoding="utf-8")
    run("--results", "elsewhere")
    Path("b.yaml").write_text(text, encoding="utf-8")
    stranger = sorted(Path("elsewhere/b/cells").iterdir())[0]
    path.write_bytes(stranger.read_bytes())
    assert run()[1] == ["heun"]
    assert_frame_equal(numbers(), expected)
    (ROOT / "cells" / stranger.name).write_bytes(stranger.read_bytes())
    assert run()[:2] == (0, [])  # under its own name it is no part of this plan
    assert_frame_equal(numbers(), expected)


def test_copies_and_other_peoples_files_are_set_aside(run: Run) -> None:
    run()
    expected, path = numbers(), place("cells", "heun")
    copies = [path.with_name(f"{path.stem} (copy).parquet"), path.with_name("mine.parquet")]
    copies[0].write_bytes(path.read_bytes())
    copies[1].write_bytes(b"mine")
    code, ran, said = run()
    assert (code, ran) == (0, [])
    for copy in copies:
        assert f"damaged: {copy} is " in said
        assert not copy.exists()
        assert (ASIDE / "cells" / copy.name).is_file()
    (ROOT / "plan.json").unlink()
    found, before = (
        frame.sort_values(["key", "metric"], ignore_index=True) for frame in (numbers(), expected)
    )
    assert_frame_equal(found, before)


@pytest.mark.parametrize("name", ["plan.json", "references.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_plan_and_papers_are_written_anew(damage: str, name: str, run: Run) -> None:
    run()
    expected, papers = numbers(), Store(ROOT).references()
    assert papers
    DAMAGES[damage](ROOT / name)
    code, ran, said = run()
    assert (code, ran) == (0, [])
    assert f"damaged: {ROOT / name} " in said
    assert os.path.lexists(ASIDE / name)
    assert_frame_equal(numbers(), expected)
    assert Store(ROOT).references() == papers


@pytest.mark.parametrize("damage", ["bit", "folder", "loop"])
def test_a_damaged_picture_of_paths_is_drawn_again_by_one_cell(damage: str, run: Run) -> None:
    text = Path("b.yaml").read_text(encoding="utf-8")
    plane = text.replace("[gaussian_mixture]", PLANE)
    Path("b.yaml").write_text(plane, encoding="utf-8")
    run()
    (path,) = (ROOT / "paths").iterdir()
    before = path.read_bytes()
    DAMAGES[damage](path)
    code, ran, said = run()
    assert (code, len(ran)) == (0, 1)
    assert f"damaged: {path} " in said
    assert path.stat().st_size == len(before)
    assert run()[:2] == (0, [])


@pytest.mark.parametrize("name", ["table.parquet", "workers.log"])
@pytest.mark.parametrize("damage", ["folder", "loop", "pipe"])
def test_what_is_no_file_where_a_file_is_written_is_set_aside(
    damage: str, name: str, run: Run
) -> None:
    run()
    (ROOT / name).unlink(missing_ok=True)
    (ROOT / name).touch()
    DAMAGES[damage](ROOT / name)
    code, ran, said = run()
    assert (code, ran) == (0, [])
    assert f"damaged: {ROOT / name} is no file" in said
    assert os.path.lexists(ASIDE / name)
    assert not os.path.lexists(ROOT / name)


def test_a_dry_run_names_what_is_damaged_and_moves_nothing(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.cli import main as cli

    run()
    path = place("samples", "heun")
    flip(path)
    monkeypatch.setattr("sys.argv", ["bench", "run", "b.yaml", "--dry-run", "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    told = json.loads(capsys.readouterr().out)
    assert told["missing"] == 1
    (named,) = told["damaged"]
    assert named == {"file": str(path), "reason": "is damaged (its checksum does not hold)"}
    assert not ASIDE.exists()
    assert path.exists()


def test_cells_of_the_first_version_run_again(run: Run) -> None:
    import pyarrow.parquet as pq

    run()
    expected = numbers()
    for path in [place("cells", solver) for solver in ("ddim", "heun")]:
        old = pq.read_table(path).replace_schema_metadata({"scorebench_schema_version": "1"})
        pq.write_table(old, path)
    with pytest.raises(BenchError, match="schema version 1, this program reads 2"):
        bench.load_results(ROOT)
    code, ran, said = run()
    assert (code, ran) == (0, ["ddim", "heun"])
    assert "2 cells have results of another version of the format" in said
    assert not ASIDE.exists()
    assert_frame_equal(numbers(), expected)


def test_what_cannot_be_set_aside_ends_the_run_in_one_line(run: Run) -> None:
    run()
    path = place("cells", "heun")
    flip(path)
    ASIDE.write_text("in the way", encoding="utf-8")
    code, ran, said = run()
    assert (code, ran) == (2, [])
    line = said.splitlines()[-1]
    assert line.startswith(f"bench: {path}: is damaged (its checksum does not hold), and cannot be")


def test_a_cell_that_fails_now_keeps_no_samples_of_before(run: Run) -> None:
    run()
    store, of_cell = Store(ROOT), key("heun")
    assert store.sample_path(of_cell).exists()
    assert store.evidence_path(of_cell).exists()
    store.write(of_cell, store.cell(of_cell), None, None, {"number": np.arange(2)})
    assert store.answer_path(of_cell).exists()
    store.write(of_cell, store.cell(of_cell), None)
    assert not store.answer_path(of_cell).exists()
    assert not store.sample_path(of_cell).exists()
    assert not store.evidence_path(of_cell).exists()


def test_errors_of_damage_pass_between_processes() -> None:
    import pickle

    error = DamagedError(Path("a/b"), "is damaged", "run again")
    again: Any = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.why) == (
        "a/b: is damaged; run again",
        Path("a/b"),
        "is damaged",
    )
