"""`bench compare` as users and CI systems see it: forms, exit codes, files, revisions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.cli.main import app
from bench.compare.json_form import as_json
from bench.compare.junit import junit
from bench.compare.markdown import markdown
from bench.compare.result import Comparison
from bench.compare.text import text
from bench.core.errors import BenchError

EVIL = "<script>alert(1)</script> [red]x[/] | `y` \x1b[31m\n# z"


@pytest.fixture(scope="module")
def everything(made: Any) -> Comparison:
    """A regression, a gain, a refusal, a loss, something new, and evil names in one."""
    base, head = [], []
    for seed in range(3):
        for solver, loss in (("euler", 3.0), ("heun", -3.0), (EVIL, 0.5 * seed)):
            here = {"seed": seed, "solver": solver}
            base.append(made.number(10.0 + seed, **here))
            head.append(made.number(10.0 + seed + loss + 0.001 * seed, **here))
    base += [made.number(1.0, budget=20), made.number(1.0, budget=30)]
    head += [
        made.number(1.0, budget=20, dtype="float64"),
        made.number(None, budget=30, status="failed", reason=EVIL),
        made.number(1.0, budget=40),
    ]
    found: Comparison = made.compared(base, head)
    return found


def test_text_tells_the_verdict_first(everything: Comparison) -> None:
    told = text(everything)
    assert told.splitlines()[0].startswith("REGRESSION: 3 comparisons: 1 worse, 1 better, 1 inc")
    assert re.search(r"worse .*euler .*10\s+11\s+14\s", told)
    assert re.search(r"needs about [\d,]+ seeds, has 3", told)
    assert "dtype is float32 in BASE, float64 in HEAD" in told
    assert "Only in HEAD:" in told
    assert "\x1b" not in told
    assert "[red]x[/]" in told.replace("\n", "")


def test_markdown_takes_names_for_nothing_else(everything: Comparison) -> None:
    told = markdown(everything)
    assert told.startswith("## ❌ REGRESSION")
    assert "| **worse** |" in told
    assert "<script>" not in told
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows[:5]} == {11}


def test_junit_is_read_by_a_parser(everything: Comparison) -> None:
    root = ET.fromstring(junit(everything))
    tests = root.findall(".//testcase")
    assert len(tests) == 6  # five points, and the verdict on the whole
    kinds = [len(root.findall(f".//{tag}")) for tag in ("failure", "skipped", "error")]
    assert kinds == [2, 1, 1]
    fd = root.find("testsuite[@name='fd']")
    assert fd is not None
    assert (fd.get("tests"), fd.get("failures"), fd.get("skipped")) == ("3", "1", "1")


def test_json_has_everything(everything: Comparison) -> None:
    found = json.loads(as_json(everything))
    assert found["exit_code"] == 1
    assert found["verdicts"] == {
        "worse": 1,
        "inconclusive": 1,
        "better": 1,
        "changed": 0,
        "same": 0,
    }
    worse = next(point for point in found["points"] if point["verdict"] == "worse")
    assert worse["solver"] == "euler"
    assert worse["low"] < worse["difference"] < worse["high"]
    assert found["refused"][0]["field"] == "dtype"
    assert found["lost"][0]["status"] == "failed"


@pytest.mark.parametrize(
    "evil", [EVIL, "\x9b2J\x00\x85", "\u202eno\u2066\u2028", "\ud800\uffff", "\x1b]0;t\x07"]
)
def test_no_form_holds_what_a_reader_would_obey(everything: Comparison, evil: str) -> None:
    refused = tuple(
        replace(r, suite=evil, model=evil, metric=evil, field=evil, base=evil, remedy=evil)
        for r in everything.refused
    )
    lost = tuple(replace(item, curve=evil, reason=evil, status=evil) for item in everything.missing)
    found = replace(everything, base=evil, head=evil, refused=refused, missing=lost)
    for form in (text, markdown, junit, as_json):
        told = form(found)
        assert told.encode()
        kinds = {unicodedata.category(c) for c in told.replace("\n", "")}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}, form
    assert len(ET.fromstring(junit(found)).findall(".//testcase")) == 6
    assert json.loads(as_json(found))["base"] == evil


def _bench(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(result.exception, BenchError):  # bench.cli.main makes it exit code 2
        return 2, str(result.exception)
    return result.exit_code, result.output


def test_exit_codes(made: Any, tmp_path: Path) -> None:
    values = {"base": (1.0, {}), "worse": (2.0, {}), "other": (1.0, {"dtype": "float64"})}
    for name, (value, changes) in values.items():
        made.written(tmp_path / name, [made.number(value, **changes)], evidence=True)
    base = tmp_path / "base"
    assert _bench("compare", base, base)[0] == 0
    assert _bench("compare", base, tmp_path / "worse", "--gate", "fd:+2%")[0] == 1
    assert _bench("compare", base, tmp_path / "other")[0] == 2
    assert _bench("compare", base, tmp_path / "none")[0] == 2
    assert _bench("compare", base, base, "--alpha", "2")[0] == 2


def test_all_forms_are_written_at_once(made: Any, tmp_path: Path) -> None:
    root = made.written(tmp_path / "run", [made.number(1.0)])
    names = ("a.md", "a.json", "a.xml", "sub/a.txt")
    options = [word for name in names for word in ("--out", tmp_path / name)]
    code, printed = _bench("compare", root, root, *options, "--format", "json")
    assert (code, json.loads(printed)["bit_identical"]) == (0, 1)
    starts = [(tmp_path / name).read_text("utf-8")[:5] for name in names]
    assert starts == ["## ✅ ", '{\n "b', "<?xml", "no re"]


def test_several_runs_in_a_folder(made: Any, tmp_path: Path) -> None:
    for suite in ("one", "two"):
        made.written(tmp_path / "all" / suite, [made.number(1.0, suite=suite)])
    made.written(tmp_path / "two", [made.number(1.0, suite="two")])
    code, printed = _bench("compare", tmp_path / "all", tmp_path / "two")
    assert code == 1
    assert "POINTS LOST: 1 comparisons: 1 same" in printed
    assert "one: mlp" in printed  # missing in HEAD
    code, printed = _bench("compare", tmp_path / "all", tmp_path / "two", "--allow-lost")
    assert code == 0
    assert "1 numbers of BASE are missing in HEAD (not gated, or allowed)" in printed
    assert _bench("compare", tmp_path / "all", tmp_path / "two", "--only", "suite=two")[0] == 0


def test_folders_without_results_are_told(tmp_path: Path) -> None:
    assert "holds no results" in _bench("compare", tmp_path, tmp_path)[1]
    file = tmp_path / "file"
    file.touch()
    assert "is no folder" in _bench("compare", file, file)[1]


def _git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_revisions(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _git(tmp_path, "init", "-q")
    baseline = made.written(tmp_path / "results/baseline/run", [made.number(1.0)], evidence=True)
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-q", "-m", "one")
    for path in baseline.rglob("*.parquet"):
        path.unlink()
    made.written(baseline, [made.number(2.0)], evidence=True)
    assert _bench("compare", "HEAD", "results/baseline")[0] == 1
    assert _bench("compare", "HEAD:results/baseline/run", "HEAD")[0] == 0
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert _bench("compare", "HEAD", "HEAD")[0] == 0
    assert "has no results/nowhere" in _bench("compare", "HEAD:results/nowhere", "HEAD")[1]
    for bad in ("--output=x", "nonsense", "HEAD\0"):
        assert _bench("compare", "--", bad, "HEAD")[0] == 2


def test_comparing_never_waits_for_torch(made: Any, tmp_path: Path) -> None:
    root = made.written(tmp_path / "run", [made.number(1.0)], evidence=True)
    code = (
        "import sys; from bench.compare.inputs import open_results\n"
        "from bench.compare.compare import *\n"
        f"with open_results({str(root)!r}) as side: compare(side, side, CompareOptions())\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
