"""Suites that ship with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.config.load import load_config
from bench.config.suites import names, resolve
from bench.core.errors import BenchError
from bench.registry import Kind, load_registry
from bench.run.plan import make_plan


@pytest.mark.parametrize("name", names())
def test_a_suite_that_ships_makes_a_plan(name: str) -> None:
    config = load_config(resolve(Path(name)))
    assert config.name == name
    assert make_plan(config, load_registry(), "cpu")


def test_all_solvers_leaves_no_solver_out() -> None:
    cells = make_plan(load_config(resolve(Path("all-solvers"))), load_registry(), "cpu")
    used = {cell.solver.name for cell in cells}
    own = [
        entry.name
        for entry in load_registry().of(Kind.PREDICTOR, Kind.ODE_SOLVER)
        if entry.source.distribution == "scorebench"
    ]
    # The same method under another name, on the line of the other one.
    same = {"seeds_1": "euler_a", "ipndm_v": "lms", "deis_rhoab": "lms", "flow_euler": "ddim"}
    missing = {same.get(name, name) for name in own} - used
    # Dear beyond the budgets of the suite, or shown by a sibling.
    assert missing <= {"dopri8"}


def test_a_file_goes_before_a_suite_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all-solvers").write_text("suites: {}\n")
    assert resolve(Path("all-solvers")) == Path("all-solvers")


def test_an_unknown_name_lists_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError, match=r"nor a suite of that name; .* ship: .*all-solvers"):
        resolve(Path("all-slovers"))
    assert resolve(Path("mine.yaml")) == Path("mine.yaml")  # its reader says that it is missing
