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
    own = {
        entry.name
        for entry in load_registry().of(Kind.PREDICTOR, Kind.ODE_SOLVER)
        if entry.source.distribution == "scorebench"
    }
    # The same method under another name, on the line of the other one.
    same = {"seeds_1": "euler_a", "ipndm_v": "lms", "deis_rhoab": "lms"}
    same |= {"flow_euler": "ddim", "function": "ddim"}
    assert set(same.values()) <= used
    # dopri8 is dear beyond the budgets of the suite; the others run samplers that are not ours.
    assert own - used == {*same, "dopri8", "diffusers", "adaptive_function"}


EVERY = """\
suites:
  a: {models: [digits_mlp], solvers: [ddim], nfe: [5], metrics: [rmse]}
  b:
    models: [digits_mlp]
    nfe: [5]
    metrics: [fd_digits]
    solvers:
      - {name: reverse_diffusion, corrector: langevin}
      - ENTRY
"""


def _planned(tmp_path: Path, entry: str) -> set[str]:
    path = tmp_path / "every.yaml"
    path.write_text(EVERY.replace("ENTRY", entry), encoding="utf-8")
    cells = make_plan(load_config(path), load_registry(), "cpu")
    return {cell.solver.name for cell in cells if cell.suite == "b"}


@pytest.mark.parametrize("kind", [Kind.PREDICTOR, Kind.ODE_SOLVER])
def test_every_solver_that_the_file_does_not_name(tmp_path: Path, kind: Kind) -> None:
    own = {e.name for e in load_registry().of(kind) if e.source.distribution == "scorebench"}
    found = _planned(tmp_path, f"{{every: {kind}, except: [ancestral, dopri5]}}")
    assert found == own - {"ancestral", "dopri5", "ddim"} | {"reverse_diffusion"}


@pytest.mark.parametrize(
    "entry",
    [
        "{every: predictors}",
        "{every: [predictor]}",
        "{every: predictor, except: ddim}",
        "{every: predictor, except: [{name: ddim}]}",
        "{every: predictor, eta: 1}",
        "{every: predictor}\n      - ddim",
    ],
)
def test_every_is_written_in_one_way(tmp_path: Path, entry: str) -> None:
    with pytest.raises(BenchError, match=r"every.yaml:9: suites.b.solvers\[1\]: .*every"):
        _planned(tmp_path, entry)


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
