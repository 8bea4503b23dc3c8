"""Tasks and guidance are part of what is compared; folders of before have none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from bench.compare.compare import compare
from bench.compare.inputs import ResultSet, open_results
from bench.compare.question import CompareOptions
from bench.compare.tables import points_table
from bench.compare.timings import timings
from bench.results import bundle, parquet_file
from bench.results.store import Store

NEW = ["task", "task_params", "guidance", "guidance_params", "vjp"]
GUIDED = {"guidance": "cfg", "sampler": "euler with cfg", "guidance_params": '{"scale":3.0}'}


def test_another_task_or_guidance_is_another_point(made: Any) -> None:
    base = [made.number(1.0), made.number(2.0, task="class"), made.number(3.0, **GUIDED)]
    head = [made.number(1.5), made.number(2.5, task="class"), made.number(3.5, **GUIDED)]
    found = made.compared(base, head).points
    assert sorted(zip(found["base"], found["head"], strict=True)) == [
        (1.0, 1.5),
        (2.0, 2.5),
        (3.0, 3.5),
    ]
    lost = made.compared(base, head[:1])
    assert sum(item.points for item in lost.missing) == 2


def test_a_base_without_the_columns_pairs_with_what_has_no_task(made: Any) -> None:
    old = pd.DataFrame([made.number(1.0)]).drop(columns=NEW).assign(place=0)
    base = ResultSet("base", old, made.side("base", [made.number(1.0)]).runs)
    head = made.side("head", [made.number(1.5), made.number(9.0, task="class")])
    found = compare(base, head, CompareOptions())
    assert (list(found.points["base"]), list(found.points["head"])) == ([1.0], [1.5])
    assert not found.missing


def test_a_bundle_without_the_columns_is_read(made: Any, tmp_path: Path) -> None:
    store, root = Store(made.written(tmp_path / "run", [made.number(1.0)], evidence=True)), tmp_path
    bundle.write(store, root)
    rows = bundle.rows(root).drop(columns=NEW)
    sha = hashlib.sha256((root / bundle.EVIDENCE).read_bytes()).hexdigest().encode()
    table = pa.Table.from_pandas(rows, preserve_index=False)
    (root / bundle.ROWS).write_bytes(parquet_file.pack(table, "rows", {bundle.BOUND: sha}))
    assert not set(NEW) & set(bundle.rows(root).columns)
    with open_results(str(root)) as base, open_results(str(tmp_path / "run")) as head:
        found = compare(base, head, CompareOptions())
    assert list(found.points["identical"]) == [True]


def test_a_renamed_sampler_takes_the_guidance_of_the_other(made: Any) -> None:
    renames = (("euler", "euler with cfg"),)
    found = made.compared(
        [made.number(1.0)], [made.number(2.0, **GUIDED)], CompareOptions(renames=renames)
    )
    assert list(found.points["head"]) == [2.0]


def test_the_task_stands_in_tables_and_times(made: Any) -> None:
    rows = [made.number(v, task="inpainting", sample_wall_s=1.0) for v in (1.0, 2.0)]
    found = made.compared(rows[:1], rows[1:])
    (row,) = points_table(found.points).rows
    assert "toys: mlp, inpainting, vp" in [cell.text for cell in row]
    frame = pd.DataFrame(rows[:1]).assign(place=0)
    (one,) = json.loads(timings(frame))["benchmarks"]
    assert one["group"] == "toys: mlp, inpainting, vp"
