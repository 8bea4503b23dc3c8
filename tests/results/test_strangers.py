"""A folder made by somebody who means harm: nothing outside of it is written, one line each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.report import write_report
from bench.results import json_file, seal
from bench.results.seal import DamagedError
from bench.results.store import Store

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def call(
    good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Calls ``bench`` where ``results/b`` is a finished run; gives the exit code and stderr."""
    from bench.cli import main as cli

    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_text(good, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["bench", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        code = stop.value.code
        assert code is None or isinstance(code, int)
        return code or 0, capsys.readouterr().err

    run("run", "b.yaml", "--only", "solver=ddim", "--no-report")
    Path("precious").write_text("mine", encoding="utf-8")
    yield run
    assert Path("precious").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["workers.log", "plan.json", "table.parquet", "references.json"])
def test_a_link_in_the_folder_of_a_run(name: str, call: Run) -> None:
    place = Path("results/b") / name
    place.unlink(missing_ok=True)
    place.symlink_to(Path("precious").resolve())
    for command in (("run", "b.yaml"), ("report", "results/b")):
        code, err = call(*command)
        assert code == 2
        assert f"{place}: is a link" in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["cells", "samples", "report"])
def test_a_folder_that_is_a_link(name: str, call: Run) -> None:
    place, elsewhere = Path("results/b") / name, Path("elsewhere")
    elsewhere.mkdir()
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(elsewhere.resolve())
    code, err = call("run", "b.yaml")
    assert code == 2
    assert f"{place}: is a link" in err
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("name", ["index.html", "best.csv", "references.bib", ".report.json"])
def test_a_link_in_the_folder_of_the_report(name: str, call: Run) -> None:
    place = Path("results/b/report") / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(Path("precious").resolve())
    code, err = call("report", "results/b")
    assert code == 2
    assert f"{place}: is a link" in err


def test_the_folder_itself_may_be_a_link(call: Run) -> None:
    Path("results/b").rename("disk")
    Path("results/b").symlink_to(Path("disk").resolve())
    assert call("run", "b.yaml", "--only", "solver=ddim", "--no-report")[0] == 0
    assert write_report(Path("results/b"), Path("out")).page.is_file()


@pytest.mark.parametrize(
    "cells",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a": 1}',
        "3",
        "[[1], {}]",
        "null",
    ],
)
def test_a_plan_of_another_shape(cells: str, call: Run) -> None:
    """Its seal is right, as whoever makes the file can make that, too."""
    store = Store(Path("results/b"))
    whole = json_file.pack({"cells": []}, "plan").decode()
    blank = whole.replace(whole.rsplit(":", 1)[1].split('"')[0], "0" * 64)
    sealed = seal.fill(blank.replace('"cells": []', f'"cells": {cells}').encode())
    store.plan_path.write_bytes(sealed)
    with pytest.raises(DamagedError, match=r"plan\.json"):
        store.load()
    code, err = call("report", "results/b")
    assert code == 2
    assert "plan.json" in err
    assert len(err.splitlines()) == 1


def test_a_plan_that_names_a_cell_twice(call: Run) -> None:
    store = Store(Path("results/b"))
    rows = len(store.load())
    keys = json_file.read(store.plan_path, "plan")["cells"]
    store.write_plan("b", [*keys, *keys])
    assert len(store.load()) == rows


@pytest.mark.parametrize("found", ["3", '["a"]', '"text"', "null"])
def test_papers_of_another_shape_are_none(found: str, call: Run) -> None:
    store = Store(Path("results/b"))
    whole = json_file.pack({"references": {}}, "references").decode()
    blank = whole.replace(whole.rsplit(":", 1)[1].split('"')[0], "0" * 64)
    store.references_path.write_bytes(
        seal.fill(blank.replace('"references": {}', f'"references": {found}').encode())
    )
    assert store.references() == {}
    assert call("report", "results/b")[0] == 0
