"""A changed bit anywhere in the files of a run: the content stays equal, or the file is named."""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bench
from bench.compare.inputs import RunFolder
from bench.core.errors import BenchError
from bench.report.figures.samples import read_samples
from bench.results import array_file, bundle, damage, json_file, seal
from bench.results.path_file import Paths
from bench.results.schema import COLUMNS
from bench.results.seal import DamagedError
from bench.results.store import Row, Store

EARLIER = time.time_ns() - 3_600_000_000_000
KEYS = ("a" * 64, "b" * 64, "c" * 64)
KINDS = (
    f"cells/{KEYS[0]}.parquet",
    f"samples/{KEYS[0]}.npy",
    f"samples/{KEYS[1]}.npy",
    f"evidence/{KEYS[0]}.safetensors",
    "paths/p.npz",
    "plan.json",
    "references.json",
    "table.parquet",
    "bundle/rows.parquet",
    "bundle/evidence.safetensors",
)
PICTURES = ("samples/", "paths/", "references.json", "answers")
"""Files that no number rests on: readers leave them out, and `damage` names them."""


def row(key: str, metric: str, value: float) -> Row:
    """A row with all columns, most of them null."""
    empty = {column.name: None for column in COLUMNS}
    told = {"run": "made", "key": key, "metric": metric, "value": value, "status": "ok"}
    return {**empty, **told, "note": "noted", "metric_params": "{}"}


def made(root: Path) -> Path:
    """A run of three cells with everything that a run can have, and its bundle beside."""
    store = Store(root)
    images = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    points = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)
    for i, (key, shown) in enumerate(zip(KEYS, (images, points, None), strict=True)):
        kept = {"rmse": np.full(6, i + 0.5, np.float32), "fd": np.arange(4, dtype=np.float32)}
        rows = [row(key, "rmse", i + 0.5), row(key, "fd", 1.5)]
        asked = {"number": np.arange(4), "truth": np.arange(8.0).reshape(4, 2) + i}
        store.write(key, rows, shown, kept if i < 2 else None, asked if i < 2 else None)
        os.utime(store.cell_path(key), ns=(EARLIER, EARLIER))
    store.write_paths(Paths("p", {"t": np.arange(3.0), "about": np.array("{}")}))
    store.write_references({"metric rmse": "R 2020", "metric fd": "F 2021"})
    store.write_plan("made", KEYS)
    store.consolidate()
    bundle.write(store, root / "bundle")
    return root


Content = dict[str, Callable[[], Any]]


def content(root: Path) -> Content:
    """Readers of everything that is in a run, each by what it reads."""
    run, kept = RunFolder(root), RunFolder(root / "bundle")
    return {
        "rows": lambda: bench.load_results(root).to_csv(),
        "rows of the bundle": lambda: bundle.rows(root / "bundle").to_csv(),
        "references": lambda: Store(root).references(),
        "samples": lambda: [_bytes(read_samples(root / "samples", key)) for key in KEYS],
        "answers": lambda: [_answers(root, key) for key in KEYS],
        "paths": lambda: _paths(root),
        "evidence": lambda: list(_evidence(run)),
        "evidence of the bundle": lambda: [kept.keys(), *_evidence(kept)],
    }


def _paths(root: Path) -> Any:
    arrays = array_file.read_many(root / "paths" / "p.npz", "paths/p")
    return {name: array.tolist() for name, array in arrays.items()}


def _answers(root: Path, key: str) -> Any:
    kept = array_file.read_kept(root, key)
    return {name: array.tolist() for name, array in kept.items() if name != "samples"}


def _bytes(array: Any) -> bytes | None:
    return None if array is None else repr((array.dtype, array.shape)).encode() + array.tobytes()


def _evidence(run: RunFolder) -> Iterator[Any]:
    for key in KEYS:
        for name in ("rmse", "fd"):
            values = run.evidence(key, name, "{}")
            yield None if values is None else values.tolist()


def verdict(root: Path, file: Path, expected: dict[str, Any]) -> str:
    """Whether a change did no harm or was reported; fails where another content was read."""
    reported = {
        error.path
        for error in (
            *damage.singles(Store(root)),
            *damage.samples(Store(root), KEYS),
            *damage.answers(Store(root), KEYS),
            *damage.evidence(Store(root), KEYS),
            *damage.paths(Store(root)),
        )
    }
    said = "harmless"
    for name, read in content(root).items():
        found = _read(read)
        if isinstance(found, BenchError):
            assert str(file) in str(found), f"{name}: {found}"
            said = "reported"
        elif found != expected[name]:
            assert file in reported, f"{name}: another content without a word"
            assert any(part in str(file.relative_to(root)) for part in PICTURES)
            said = "reported"
    return "reported" if file in reported else said


def _read(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except BenchError as error:
        return error


def flip(file: Path, at: int, bit: int) -> None:
    """Change one bit in place, as a disk does."""
    whole = bytearray(file.read_bytes())
    whole[at] ^= 1 << bit
    file.write_bytes(whole)


@dataclass(frozen=True)
class Flipped:
    """A sound run, and copies of it with a changed bit."""

    root: Path
    expected: dict[str, Any]

    def verdict(self, name: str, at: int, bit: int, table: bool, old: bool) -> str:
        """Of one changed bit, with or without the table, with the time of the file kept or not."""
        file, state = self.root / name, (self.root / name).stat()
        spare, store = (self.root / "table.parquet"), Store(self.root)
        whole, rows = file.read_bytes(), spare.read_bytes()
        if not table and file != spare:
            spare.unlink()
        flip(file, at, bit)
        if old:
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
        try:
            return verdict(self.root, file, self.expected)
        finally:
            file.write_bytes(whole)
            store.table_path.write_bytes(rows)
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Flipped:
    """The run, and what is read of it."""
    root = made(tmp_path_factory.mktemp("flips") / "run")
    return Flipped(root, {name: read() for name, read in content(root).items()})


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_harmless_or_reported(count: int, sound: Flipped) -> None:
    chance = random.Random(count)
    counts: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    for i in range(count):
        name = KINDS[i % len(KINDS)]
        at = chance.randrange((sound.root / name).stat().st_size)
        table, old = chance.random() < 0.5, chance.random() < 0.5
        counts[name][sound.verdict(name, at, chance.randrange(8), table, old)] += 1
    for name, found in counts.items():
        print(f"{name.replace('a' * 64, 'A').replace('b' * 64, 'B')}: {dict(found)}")
    total = sum(counts.values(), Counter[str]())
    print(f"{total['harmless']} harmless, {total['reported']} reported")
    assert total["harmless"] + total["reported"] == count
    # the table is a cache, and rows that it holds stand in for those of a cell's file
    assert all(not found["harmless"] for name, found in counts.items() if not _cached(name))
    assert counts["table.parquet"]["harmless"] == counts["table.parquet"].total()


def _cached(name: str) -> bool:
    return name.startswith("cells/") or name == "table.parquet"


@pytest.mark.parametrize("name", KINDS)
def test_every_byte_of_every_kind_of_file_counts(name: str, sound: Flipped) -> None:
    """Of most bytes one bit; of the last ones, where footers are, all."""
    file = sound.root / name
    whole, place = file.read_bytes(), _place(name)
    seal.verify(whole, file, place)
    places = [(at, at % 8) for at in range(0, len(whole), max(1, len(whole) // 4000))]
    places += [(at, bit) for at in range(max(0, len(whole) - 300), len(whole)) for bit in range(8)]
    for at, bit in places:
        changed = bytearray(whole)
        changed[at] ^= 1 << bit
        with pytest.raises(DamagedError, match=re.escape(str(file))):
            seal.verify(bytes(changed), file, place)


def _place(name: str) -> str:
    return name.rpartition(".")[0].removeprefix("bundle/")


@pytest.mark.parametrize("name", KINDS)
def test_cut_grown_and_emptied_files_are_harmless_or_reported(name: str, sound: Flipped) -> None:
    file = sound.root / name
    whole, state = file.read_bytes(), file.stat()
    half = len(whole) // 2
    for changed in (
        b"",
        whole[:1],
        whole[:half],
        whole[:-1],
        whole[1:],
        whole + b"\0",
        whole + whole,
        whole[:half] + b"\0" * (len(whole) - half),
        os.urandom(len(whole)),
        b"\xff\xfe" * 50,
        b"{" * 5000,
    ):
        file.write_bytes(changed)
        try:
            said = verdict(sound.root, file, sound.expected)
            assert said == "reported" or name == "table.parquet"
        finally:
            file.write_bytes(whole)
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_other_programs_read_the_files(tmp_path: Path) -> None:
    import pyarrow.parquet as pq
    from safetensors.numpy import load_file

    root = made(tmp_path / "run")
    table = pq.read_table(root / "cells" / f"{KEYS[0]}.parquet")
    assert table["value"].to_pylist() == [0.5, 1.5]
    assert pd.read_parquet(root / "bundle" / "rows.parquet")["value"].sum() == 3 * 2.5 + 1.5
    assert np.load(root / f"samples/{KEYS[0]}.npy", mmap_mode="r").shape == (2, 3, 4, 4)
    assert load_file(root / f"evidence/{KEYS[0]}.safetensors")["rmse"].tolist() == [0.5] * 6
    with np.load(root / "paths" / "p.npz") as arrays:
        assert arrays["t"].tolist() == [0, 1, 2]


def exchange(one: Path, other: Path) -> None:
    """Give each the name of the other."""
    spare = one.with_name("spare")
    one.rename(spare)
    other.rename(one)
    spare.rename(other)


@pytest.mark.parametrize("kind", ["cells/{}.parquet", "samples/{}.npy", "evidence/{}.safetensors"])
def test_exchanged_files_are_seen(kind: str, tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    expected = {name: read() for name, read in content(root).items()}
    (root / "table.parquet").unlink()
    one, other = (root / kind.format(key) for key in KEYS[:2])
    exchange(one, other)
    assert verdict(root, one, expected) == "reported"
    error = seal.check(one, f"{one.parent.name}/{one.stem}")
    assert error is not None
    assert f"was written as {one.parent.name}/{other.stem}" in str(error)


def test_a_file_of_one_kind_is_none_of_another(tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    (root / "plan.json").write_bytes((root / "references.json").read_bytes())
    with pytest.raises(BenchError, match=r"plan\.json: is in the wrong place .*as references"):
        bench.load_results(root)
    (root / f"cells/{KEYS[1]}.parquet").write_bytes((root / "bundle/rows.parquet").read_bytes())
    with pytest.raises(DamagedError, match="is in the wrong place"):
        Store(root).cell(KEYS[1])


def test_a_bundle_with_the_evidence_of_another_is_refused(tmp_path: Path) -> None:
    root, other = made(tmp_path / "one") / "bundle", made(tmp_path / "two") / "bundle"
    store = Store(tmp_path / "two")
    store.write(KEYS[0], [row(KEYS[0], "rmse", 9.0)], None, {"rmse": np.full(6, 9, np.float32)})
    bundle.write(store, other)
    (root / bundle.EVIDENCE).write_bytes((other / bundle.EVIDENCE).read_bytes())
    with pytest.raises(BenchError, match=r"evidence\.safetensors: is of another bundle"):
        bundle.evidence(root)
    (root / bundle.EVIDENCE).unlink()
    with pytest.raises(BenchError, match=r"evidence\.safetensors: is missing; write it again"):
        RunFolder(root).keys()


def test_a_copy_beside_the_original_does_not_double_the_rows(tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    cell = root / f"cells/{KEYS[0]}.parquet"
    (cell.parent / f"{KEYS[0]} (copy).parquet").write_bytes(cell.read_bytes())
    assert len(bench.load_results(root)) == 6  # the plan does not name it
    (root / "plan.json").unlink()
    with pytest.raises(
        BenchError, match=rf"\(copy\)\.parquet: is in the wrong .*cells/{KEYS[0]}\)"
    ):
        bench.load_results(root)


@pytest.mark.parametrize("name", ["summary", "e" * 64, "a" * 63 + "A"])
def test_other_peoples_files_among_the_cells_are_named(name: str, tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    (root / "plan.json").unlink()
    pd.DataFrame({"value": [1.0]}).to_parquet(root / f"cells/{name}.parquet")
    with pytest.raises(BenchError, match=rf"{name}\.parquet: is damaged \(it has no checksum\)"):
        bench.load_results(root)


def test_cells_of_two_runs_without_a_plan_are_refused(tmp_path: Path) -> None:
    root, key = made(tmp_path / "run"), "d" * 64
    Store(root).write(key, [{**row(key, "rmse", 1.0), "run": "other"}], None)
    assert set(bench.load_results(root)["run"]) == {"made"}
    (root / "plan.json").unlink()
    with pytest.raises(BenchError, match=r"holds cells of several runs \(made, other\)"):
        bench.load_results(root)


def folder(path: Path) -> None:
    """A folder with something in it."""
    path.mkdir()
    (path / "inner").write_text("mine", encoding="utf-8")


def huge(path: Path) -> None:
    """A terabyte of zeros, which takes no room."""
    path.touch()
    os.truncate(path, 1 << 40)


OBSTACLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (folder, "is a folder"),
    "loop": (lambda path: path.symlink_to(path), "cannot be read (Too many levels"),
    "nowhere": (lambda path: path.symlink_to("nowhere"), "is a link to nothing"),
    "pipe": (os.mkfifo, "is a pipe"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "empty": (lambda path: path.touch(), "is damaged"),
    "huge": (huge, "too many"),
}
"""What may lie in the place of a file, and what is said of it."""


@pytest.mark.parametrize("name", [k for k in KINDS if k != "table.parquet"])
@pytest.mark.parametrize("kind", OBSTACLES)
def test_what_is_no_file_is_named(kind: str, name: str, tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    expected = {what: read() for what, read in content(root).items()}
    file = root / name
    file.unlink()
    put, said = OBSTACLES[kind]
    put(file)
    assert verdict(root, file, expected) == "reported"
    error = seal.check(file, _place(name))
    assert error is not None
    assert said in str(error)


@pytest.mark.parametrize("kind", OBSTACLES)
def test_a_table_that_is_none_costs_nothing_but_time(kind: str, tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    expected = bench.load_results(root).to_csv()
    (root / "table.parquet").unlink()
    OBSTACLES[kind][0](root / "table.parquet")
    Store(root).consolidate()
    assert bench.load_results(root).to_csv() == expected


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "run")
    cell, really = root / f"cells/{KEYS[0]}.parquet", os.open
    (root / "table.parquet").unlink()

    def forbidding(path: Any, *rest: Any, **named: Any) -> int:
        if Path(path) == cell:
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *rest, **named)

    monkeypatch.setattr(os, "open", forbidding)
    with pytest.raises(BenchError, match=r"parquet: cannot be read \(Permission denied\)"):
        bench.load_results(root)
    known = Store(root).known(KEYS, ["status"])
    assert (set(known.rows), len(known.damaged)) == (set(KEYS[1:]), 1)


def test_a_results_folder_that_is_a_file_has_no_results(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for root in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(BenchError, match="holds no results"):
            bench.load_results(root)


def test_files_of_the_first_version_are_named_as_such(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = made(tmp_path / "run")
    (root / "plan.json").write_text('{"run": "made", "schema": 1, "cells": []}', encoding="utf-8")
    with pytest.raises(BenchError, match=r"plan\.json: schema version 1, this program reads 2"):
        bench.load_results(root)
    (root / "plan.json").unlink()
    cell = root / f"cells/{KEYS[0]}.parquet"
    old = pa.table({"value": [1.0]}, metadata={"scorebench_schema_version": "1"})
    pq.write_table(old, cell)
    with pytest.raises(BenchError, match=r"parquet: schema version 1, .*run again"):
        bench.load_results(root)


def test_a_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    root = made(tmp_path / "run")
    (root / "plan.json").unlink()
    (root / "cells" / "\x1b[31mred\udcff.parquet").write_bytes(b"no")
    with pytest.raises(BenchError) as caught:
        bench.load_results(root)
    assert str(caught.value).isprintable()
    assert "\\x1b[31mred\\udcff.parquet: is damaged" in str(caught.value)


def test_no_seal_is_filled_in_twice(tmp_path: Path) -> None:
    whole = json_file.pack({"a": 1}, "plan")
    with pytest.raises(ValueError, match="sealed once"):
        seal.fill(whole)
    with pytest.raises(ValueError, match="sealed once"):
        seal.fill(b"no seal at all")
