"""The table of all cells is a cache: whatever happens to it, the cell files decide."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from bench.core.errors import BenchError
from bench.results.parquet_file import pack
from bench.results.schema import ARROW, COLUMNS
from bench.results.store import Row, Store

EARLIER = time.time_ns() - 3_600_000_000_000


def row(key: str, metric: str = "fd", value: float = 1.0) -> Row:
    """A row with all columns, most of them null."""
    empty = {column.name: None for column in COLUMNS}
    return {**empty, "key": key, "metric": metric, "value": value, "status": "ok"}


def write(store: Store, key: str, *values: float, ago: int = 0) -> None:
    """Write a cell that is settled."""
    store.write(key, [row(key, f"m{i}", value) for i, value in enumerate(values)], None)
    os.utime(store.cell_path(key), ns=(EARLIER - ago, EARLIER - ago))


def without_table(store: Store) -> pd.DataFrame:
    """What the cell files say."""
    return Store(_copied(store)).load()


def _copied(store: Store) -> Path:
    root = store.root.with_name("copy")
    for path in [*store.root.glob("plan.json"), *store.root.glob("cells/*.parquet")]:
        to = root / path.relative_to(store.root)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())
    return root


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Five cells of one to three rows, and their table."""
    store = Store(tmp_path / "run")
    for i, key in enumerate("abcde"):
        write(store, key, *(10.0 * i + j for j in range(1 + i % 3)))
    store.write_plan("run", list("cabed"))
    store.consolidate()
    return store


def forbid_reading(monkeypatch: pytest.MonkeyPatch, *but: str) -> None:
    """Let no cell file be read but those of the keys."""
    read = Store._table

    def guarded(store: Store, key: str) -> pa.Table:
        assert key in but, f"{key} was read"
        return read(store, key)

    monkeypatch.setattr(Store, "_table", guarded)


def test_the_table_gives_what_the_cells_give(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = without_table(store)
    assert list(expected["key"]) == ["c", "c", "c", "a", "b", "b", "e", "e", "d"]
    forbid_reading(monkeypatch)
    assert_frame_equal(store.load(), expected)


@pytest.mark.parametrize("plan", ["cab", "edcba", "c", "abcdefg"])
def test_another_plan_takes_its_cells_in_its_order(
    plan: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "g", 7.0, 8.0)
    store.write_plan("run", list(plan))
    expected = without_table(store)
    forbid_reading(monkeypatch, "g")
    assert_frame_equal(store.load(), expected)


def test_a_changed_cell_is_read_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, "b", 99.0, 98.0, ago=1)  # the same size: the time tells
    write(store, "d", 1.0, 2.0, 3.0)  # the same time: the size tells
    expected = without_table(store)
    assert 99.0 in set(expected["value"])
    forbid_reading(monkeypatch, "b", "d")
    assert_frame_equal(store.load(), expected)
    store.consolidate()
    forbid_reading(monkeypatch)
    assert_frame_equal(store.load(), expected)


def test_a_deleted_cell_is_gone(store: Store) -> None:
    store.cell_path("c").unlink()
    assert set(store.load()["key"]) == set("abde")
    store.consolidate()
    assert set(store.load()["key"]) == set("abde")


def test_a_cell_that_may_change_within_a_tick_is_not_taken(store: Store) -> None:
    store.write("b", [row("b", value=5.0)], None)
    store.consolidate()
    stamp = store.cell_path("b").stat()
    store.write("b", [row("b", value=6.0)], None)
    os.utime(store.cell_path("b"), ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    assert store.cell_path("b").stat().st_size == stamp.st_size
    assert 6.0 in set(store.load()["value"])


def test_a_cut_table_costs_nothing_but_time(store: Store) -> None:
    expected, whole = store.load(), store.table_path.read_bytes()
    for size in (0, 3, len(whole) // 2, len(whole) - 1):
        store.table_path.write_bytes(whole[:size])
        assert_frame_equal(store.load(), expected)
    store.consolidate()
    assert len(store.table_path.read_bytes()) == len(whole)


def test_somebody_elses_table_is_neither_read_nor_replaced(store: Store) -> None:
    expected = store.load()
    pq.write_table(pa.table({"value": [1.0]}), store.table_path)
    before = store.table_path.read_bytes()
    assert_frame_equal(store.load(), expected)
    store.consolidate()
    assert store.table_path.read_bytes() == before


def test_a_table_of_another_schema_is_not_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("json_file", "seal", "parquet_file"):
        monkeypatch.setattr(f"bench.results.{module}.SCHEMA_VERSION", 3)
    with pytest.raises(BenchError, match="schema version 2, this program reads 3"):
        store.load()


def test_a_damaged_cell_is_said_though_the_table_had_it(store: Store) -> None:
    store.cell_path("c").write_bytes(b"PAR1")
    with pytest.raises(BenchError, match="is damaged"):
        store.load()


def test_columns_that_an_earlier_version_lacked_are_null(store: Store) -> None:
    old = pa.Table.from_pylist([row("c", value=3.0)], schema=ARROW).drop_columns(["note", "steps"])
    store.cell_path("c").write_bytes(pack(old, "cells/c"))
    for _ in range(2):
        frame = store.load()
        assert list(frame.columns) == [column.name for column in COLUMNS]
        assert frame["note"].isna().all()
        store.consolidate()


def test_nothing_is_written_where_nothing_changed(store: Store) -> None:
    before = store.table_path.stat()
    store.consolidate()
    assert store.table_path.stat().st_ino == before.st_ino


def test_many_may_read_and_consolidate_at_once(store: Store) -> None:
    expected = store.load()

    def work(i: int) -> pd.DataFrame:
        if i % 3 == 0:
            store.table_path.unlink(missing_ok=True)
        if i % 3 == 1:
            store.consolidate()
        return store.load()

    with ThreadPoolExecutor(4) as pool:
        for frame in pool.map(work, range(24)):
            assert_frame_equal(frame, expected)
