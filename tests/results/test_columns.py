"""A column is declared in one place; all that depends on what it is for follows from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.results.column import Use
from bench.results.schema import COLUMNS, columns

PACKAGE = Path(bench.__file__).parent
AFTER = '    text("dtype"'
LUCK = 'text("luck", "the fortune of the referee", Use.QUALITY, Use.TIMING, Use.MACHINE)'

WRITE = """
import sys
from pathlib import Path

from bench.results.schema import COLUMNS
from bench.results.store import Store

for name, luck in (("base", "good"), ("head", "bad"), ("both", None)):
    store, keys = Store(Path(name)), []
    for budget in (5, 10):
        for solver in ("ddim", "heun"):
            row = {column.name: None for column in COLUMNS} | {
                "run": name, "suite": "s", "model": "m", "process": "vp", "solver": solver,
                "sampler": solver, "solver_kind": "ode_solver", "budget": budget, "seed": 0,
                "metric": "fd", "value": 1.0 + budget, "std_error": 0.1, "status": "ok",
                "larger_is_better": False, "role": "quality", "nfe": float(budget), "samples": 8,
                "s_per_evaluation": 0.1, "s_min": 0.002, "s_max": 80.0, "device": "cpu",
            }
            key = f"{budget}{solver}"
            fortune = luck or {"ddim": "good", "heun": "bad"}[solver]
            store.write(key, [row | {"key": key, "luck": fortune}], None)
            keys.append(key)
    store.write_plan(name, keys)
"""

READ = """
import json
from pathlib import Path

from bench.published.verdicts import _PROTOCOL
from bench.results.frame import points, prepare_frame
from bench.results.protocol import MACHINE, PROTOCOL, QUALITY, TIMING
from bench.results.store import Store

frame = prepare_frame(Store(Path("both")).load())
lists = {"published": _PROTOCOL, "machine": MACHINE, "protocol": PROTOCOL}
lists |= {"quality": QUALITY, "timing": TIMING}
print(json.dumps({
    "lists": {name: "luck" in names for name, names in lists.items()},
    "protocols": sorted(set(frame["protocol"])),
    "hardware": sorted(set(frame["hardware"])),
    "points": len(points(frame)),
}))
"""

Call = Callable[..., str]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Runs programs of a copy of the host whose schema has one more column."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "copy" / "bench", ignore=ignored)
    schema = tmp_path / "copy" / "bench" / "results" / "schema.py"
    text = schema.read_text(encoding="utf-8")
    assert text.count(AFTER) == 1
    schema.write_text(text.replace(AFTER, f"    {LUCK},\n{AFTER}"), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "copy"), "COLUMNS": "300"}

    def run(*command: str) -> str:
        process = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert process.stdout or not process.returncode, process.stderr
        return process.stdout

    return run


def test_a_new_column_is_declared_in_one_place(call: Call, tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("bench"))
    assert "| `luck` | string |  | quality, timing, machine | the fortune" in call(
        program, "schema"
    )
    call(sys.executable, "-c", WRITE)
    found: Mapping[str, Any] = json.loads(call(sys.executable, "-c", READ))
    assert all(found.pop("lists").values())
    assert found == {"protocols": [0, 1], "hardware": [0, 1], "points": 4}
    refused = json.loads(call(program, "compare", "base", "head", "--times", "--format", "json"))
    assert {
        (one["metric"], one["field"], one["base"], one["head"]) for one in refused["refused"]
    } == {("fd", "luck", "good", "bad"), ("time", "luck", "good", "bad")}
    call(program, "report", "both", "--figures", "1")
    page = next((tmp_path / "both").rglob("*.html"))
    assert page.read_text(encoding="utf-8").count("luck") > 2


def test_every_column_says_what_it_is_for() -> None:
    assert all(column.uses for column in COLUMNS)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.parametrize("use", Use)
def test_no_use_is_without_a_column(use: Use) -> None:
    assert columns(use)


def test_what_must_not_be_compared_makes_no_curve() -> None:
    keys = columns(Use.SUBJECT, Use.CURVE, Use.POINT, Use.REPLICATE, Use.NUMBER)
    assert not set(keys) & set(columns(Use.QUALITY, Use.TIMING, Use.MACHINE))
