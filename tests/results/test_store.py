"""Files on disk: atomic, checked when read, kept when writing fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import bench
from bench.core.errors import BenchError
from bench.results.schema import ARROW
from bench.results.seal import DamagedError
from bench.results.store import Row, Store
from bench.run.cell import Cell

Planner = Callable[[str], tuple[Cell, ...]]


@pytest.fixture
def rows(good: str, cells_of: Planner, rows_of: Callable[[Cell], list[Row]]) -> list[Row]:
    """The rows of a real cell."""
    return rows_of(cells_of(good)[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "results" / "run")


def finished_in(store: Store, key: str) -> frozenset[str]:
    """The cell, if it need not run again."""
    return store.known([key], ["status"]).finished


def test_what_is_written_is_read(store: Store, rows: list[Row]) -> None:
    samples = np.arange(6, dtype=np.float32).reshape(3, 2)
    store.write("k", rows, samples)
    read = store.cell("k")
    assert [{**row, **{k: None for k in read[0] if k not in row}} for row in rows] == read
    assert (np.load(store.sample_path("k")) == samples).all()
    assert finished_in(store, "k") == {"k"}
    assert sorted(p.name for p in store.root.rglob("*") if p.is_file()) == ["k.npy", "k.parquet"]


@pytest.mark.parametrize(
    ("statuses", "finished"),
    [
        (["ok"], True),
        (["ok", "unsupported"], True),
        (["diverged"], True),
        (["ok", "failed"], False),
        (["timeout"], False),
    ],
)
def test_what_may_go_better_next_time_is_not_finished(
    statuses: list[str], finished: bool, store: Store, rows: list[Row]
) -> None:
    store.write("k", [{**rows[0], "status": status} for status in statuses], None)
    assert ("k" in finished_in(store, "k")) is finished


def test_a_cut_file_does_not_count(store: Store, rows: list[Row]) -> None:
    store.write("k", rows, None)
    whole = store.cell_path("k").read_bytes()
    for size in (0, 3, len(whole) // 2, len(whole) - 1):
        store.cell_path("k").write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            store.cell("k")
        assert "k" not in finished_in(store, "k")
        with pytest.raises(BenchError, match=r"damaged .* delete it and run again"):
            store.load()


def test_left_over_scratch_files_do_not_count(store: Store, rows: list[Row]) -> None:
    store.write("k", rows, None)
    (store.root / "cells" / ".other.parquet.123.tmp").write_bytes(b"half a fi")
    (store.root / "cells" / ".k.parquet.123.tmp").write_bytes(b"half a fi")
    assert list(store.load()["key"]) == [row["key"] for row in rows]
    assert "other" not in finished_in(store, "other")


def test_cells_of_earlier_plans_are_left_out(store: Store, rows: list[Row]) -> None:
    store.write("new", [{**rows[0], "key": "new"}], None)
    store.write("old", [{**rows[0], "key": "old"}], None)
    assert set(store.load()["key"]) == {"new", "old"}
    store.write_plan("run", ["new"])
    assert set(store.load()["key"]) == {"new"}


def test_no_results_and_a_damaged_plan(store: Store, rows: list[Row]) -> None:
    with pytest.raises(BenchError, match="holds no results; run `bench run FILE"):
        bench.load_results(store.root)
    store.write("k", rows, None)
    store.plan_path.write_text('{"cells": 3', encoding="utf-8")
    with pytest.raises(BenchError, match=r"plan\.json: is damaged .* delete it"):
        bench.load_results(store.root)


def test_another_schema_version_is_refused(
    store: Store, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("k", rows, None)
    for module in ("seal", "parquet_file"):
        monkeypatch.setattr(f"bench.results.{module}.SCHEMA_VERSION", 3)
    assert "k" not in finished_in(store, "k")
    with pytest.raises(BenchError, match="schema version 2, this program reads 3"):
        store.load()


def test_columns_that_came_later_are_null_in_older_files(
    store: Store, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = ARROW.remove(ARROW.get_field_index("metric_params"))
    with monkeypatch.context() as patch:
        patch.setattr("bench.results.store.ARROW", older)
        store.write("old", rows, None)
    store.write("new", rows, None)
    frame = bench.load_results(store.root)
    assert list(frame.columns) == ARROW.names
    assert frame["metric_params"].isna().sum() >= len(rows)
    assert finished_in(store, "old") == {"old"}


def test_a_full_disk_names_the_place_and_keeps_what_was_finished(
    store: Store, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("first", rows, None)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchError) as caught:
        store.write("second", rows, None)
    message = str(caught.value)
    assert message.startswith(f"{store.cell_path('second')}: cannot be written (No space left")
    assert "--results" in message
    assert [p.name for p in (store.root / "cells").iterdir()] == ["first.parquet"]
    assert finished_in(store, "first") == {"first"}


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path, rows: list[Row]) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for root in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(BenchError, match=r"parquet: cannot be written \((Not a dir|File ex)"):
            Store(root).write("k", rows, None)
        with pytest.raises(BenchError, match=r"plan\.json: cannot be written"):
            Store(root).write_plan("run", ["k"])


@pytest.mark.parametrize("name", ["file", "file/deeper"])
def test_the_command_line_says_so_in_one_line(
    name: str,
    good: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from bench.cli import main as cli

    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text(good, encoding="utf-8")
    Path("file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["bench", "run", "b.yaml", "--results", name])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(f"bench: {name}/b/")
    assert "cannot be written (Not a directory)" in err
    assert len(err.splitlines()) == 1


Run = Callable[..., tuple[int, list[str], str]]


def test_a_finished_run_runs_nothing_again(run: Run) -> None:
    assert run()[:2] == (0, ["ddim", "heun", "ancestral"])  # unsupported alone is no fault
    assert run()[:2] == (0, [])


def test_reasons_of_cells_without_a_meaning_are_told(
    told: Callable[..., tuple[int, list[str], str, str]],
) -> None:
    """`ancestral` alone has no rmse; nothing is said where no cell is meant."""
    out = told()[2]
    assert "unsupported: 1: rmse needs an ODE solver: stochastic samplers have other paths" in out
    assert "unsupported" not in told("--only", "solver=heun")[2]


def test_a_part_of_a_run_and_then_the_rest(run: Run) -> None:
    assert run("--only", "solver=heun")[:2] == (0, ["heun"])
    assert run()[:2] == (0, ["ddim", "ancestral"])


def _cell(solver: str) -> Path:
    store = Store(Path("results/b"))
    frame = store.load()
    return store.cell_path(frame[frame.solver == solver]["key"].iloc[0])


def test_a_damaged_cell_runs_again(run: Run) -> None:
    run()
    path = _cell("heun")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run()[:2] == (0, ["heun"])
    assert len(bench.load_results("results/b")) == 2 + 2 + 1


def test_failed_cells_run_again_and_diverged_ones_do_not(run: Run) -> None:
    run()
    store = Store(Path("results/b"))
    for solver, status in (("ddim", "failed"), ("heun", "diverged")):
        key = _cell(solver).stem
        store.write(key, [{**row, "status": status} for row in store.cell(key)], None)
    assert run()[:2] == (1, ["ddim"])  # heun still diverges


def test_a_disk_that_fills_up_in_the_middle_keeps_the_finished_cells(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, calls = os.fsync, []

    def fills(descriptor: int) -> None:
        calls.append(descriptor)
        # After plan and references, a cell and its picture, samples and evidence of the next.
        if len(calls) == 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fills)
    code, _, err = run()
    assert code == 2
    assert "results/b/cells/" in err
    assert "No space left on device" in err
    assert len(err.splitlines()) == 1
    assert run()[:2] == (0, ["heun", "ancestral"])


def test_rows_from_the_table_are_those_of_the_files(
    store: Store, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.results.table.SETTLED_NS", -(10**18))
    failed = [{**row, "status": "failed", "reason": "no luck"} for row in rows]
    for key, content in (("a", rows), ("b", failed), ("c", rows)):
        store.write(key, content, None)
    from_files = store.known("abcx", ["status", "reason"]).rows
    store.consolidate()
    store.write("c", failed, None)
    read = Store._table

    def only_c(store: Store, key: str) -> pa.Table:
        assert key == "c"
        return read(store, key)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_table", only_c)
        from_table = store.known("abcx", ["status", "reason"]).rows
    assert from_files.keys() == from_table.keys() == {"a", "b", "c"}
    assert (from_table["a"], from_table["b"]) == (from_files["a"], from_files["b"])
    assert from_table["c"] == from_files["b"]
    assert store.known("abcx", ["status"]).finished == {"a"}
