"""Learned numbers from files: exact, strict, and free of evaluations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    Calibration,
    CountedDenoiser,
    Draw,
    Stepper,
    Time,
    UnsupportedError,
    calibrate,
)
from bench.core.sample import Sampler
from bench.testing import LineMixture, grid_of, ode_solver_of, process_of
from bench_plugins.learned.kept import Spent, make_entry, write_kept

MIXTURE = LineMixture()
SMALL: dict[str, Any] = {"samples": 4, "fine_steps": 8}
METHODS: list[tuple[str, str]] = [
    ("oss", "dpmpp_2m"),
    ("ld3", "dpmpp_2m"),
    ("karras", "s4s"),
    ("karras", "amed"),
    ("karras", "epd"),
]


def _cell(steps: int = 4, process: str = "vp", s_min: float = 0.02) -> Calibration:
    draw = Draw(0, 5, 5, (1,), torch.float64)
    model = CountedDenoiser(MIXTURE.denoise)
    return Calibration(process_of(process), model, s_min, 40.0, steps, draw)


def _methods(grid: str, solver: str, **given: Any) -> tuple[Any, Any]:
    own = {**SMALL, **given} | ({} if grid == "oss" else {"iterations": 2})
    if solver == "dpmpp_2m":
        return grid_of(grid, **own), ode_solver_of(solver)
    return grid_of(grid), ode_solver_of(solver, **own)


def _run(grid: Any, stepper: Stepper[Any], cell: Calibration) -> tuple[Any, tuple[Time, ...]]:
    with torch.no_grad():
        tuned, times = calibrate(Sampler(stepper), grid, cell)
    return tuned.stepper, times


def _keep(path: Path, grid: str, solver: str, budgets: tuple[int, ...] = (4,)) -> Path:
    """A file for cells of each number of steps."""
    entries, (chooser, stepper) = [], _methods(grid, solver)
    for steps in budgets:
        cell = _cell(steps)
        if grid == "karras":
            times = chooser.times(cell.process, steps, cell.s_min, cell.s_max)
            plugin, on = stepper, Calibration(**{**vars(cell), "times": times})
        else:
            plugin, on = chooser, Calibration(**{**vars(cell), "stepper": stepper})
        with torch.no_grad():
            rows = plugin.learn(on)
        origin = {"model": "mixture", "weights": "none"}
        entries.append(make_entry(plugin, on, rows, Spent(7, 5, 0.5), origin))
    write_kept(path, entries)
    return path


def _end(tuned: Any, times: tuple[Time, ...], cell: Calibration) -> Tensor:
    ((problem, x),) = cell.starts(16)
    end: Tensor = tuned.solve(problem, x, times)
    return end


@pytest.mark.parametrize(("grid", "solver"), METHODS)
@pytest.mark.parametrize("process", ["vp", "edm"])
def test_a_file_gives_the_same_samples_at_no_evaluation(
    tmp_path: Path, grid: str, solver: str, process: str
) -> None:
    file = _keep(tmp_path / "kept.json", grid, solver, (3, 4))
    cell = _cell(process=process)
    tuned, times = _run(*_methods(grid, solver, file=str(file)), cell)
    assert (cell.model.evaluations.rows, cell.model.evaluations.vjp_rows) == (0, 0)
    if process == "vp":  # where it was learned: bit for bit
        other, others = _run(*_methods(grid, solver), _cell())
        assert times == others
        assert torch.equal(_end(tuned, times, _cell()), _end(other, others, _cell()))
    remark = "learned with 7 network evaluations and 5 vector-Jacobian products on model mixture"
    assert (remark in tuned.note()) is (grid == "karras")


@pytest.mark.parametrize(("grid", "solver"), METHODS)
def test_cells_that_the_file_is_not_for_are_unsupported(
    tmp_path: Path, grid: str, solver: str
) -> None:
    file = str(_keep(tmp_path / "kept.json", grid, solver, (3, 4)))
    methods = _methods(grid, solver, file=file)
    with pytest.raises(UnsupportedError, match="learned for 3, 4 steps, and the cell takes 5"):
        _run(*methods, _cell(5))
    with pytest.raises(UnsupportedError, match=r"0\.02 to 40, and the cell has 0\.03 to 40"):
        _run(*methods, _cell(s_min=0.03))
    with pytest.raises(BenchError, match=r"was learned for .*samples.: 4.*not for .*: 9"):
        _run(*_methods(grid, solver, file=file, samples=9), _cell())


def test_other_solvers_grids_and_plugins_are_refused(tmp_path: Path) -> None:
    times, numbers = (
        str(_keep(tmp_path / f"{grid}.json", grid, solver))
        for grid, solver in (("ld3", "dpmpp_2m"), ("karras", "s4s"))
    )
    with pytest.raises(UnsupportedError, match=r"no times for solver ddim"):
        _run(grid_of("ld3", file=times, iterations=2, **SMALL), ode_solver_of("ddim"), _cell())
    s4s = ode_solver_of("s4s", file=numbers, iterations=2, **SMALL)
    with pytest.raises(UnsupportedError, match="other levels than those of the cell's grid"):
        _run(grid_of("karras", rho=3.0), s4s, _cell())
    with pytest.raises(BenchError, match=r"learned for s4s .*, not for amed"):
        _run(grid_of("karras"), ode_solver_of("amed", file=numbers, **SMALL), _cell())


BROKEN: list[tuple[str, Any, str]] = [
    ("version", 2, "of version 2, and"),
    ("format", "other", "is 'other' of version 1"),
    ("more", 1, "more: "),
    ("entries", [{"plugin": "s4s"}], "entries.0.plugin: "),
]


@pytest.mark.parametrize(("key", "value", "message"), BROKEN)
def test_broken_files_are_refused_by_place(
    tmp_path: Path, key: str, value: Any, message: str
) -> None:
    file = _keep(tmp_path / "kept.json", "karras", "s4s")
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(BenchError, match=message):
        _run(*_methods("karras", "s4s", file=str(file)), _cell())


@pytest.mark.parametrize(("grid", "solver"), METHODS)
def test_numbers_of_another_shape_are_refused(tmp_path: Path, grid: str, solver: str) -> None:
    file = _keep(tmp_path / "kept.json", grid, solver)
    content = json.loads(file.read_text())
    content["entries"][0]["numbers"][0].append(0.5)
    file.write_text(json.dumps(content))
    with pytest.raises(BenchError, match="its file has not"):
        _run(*_methods(grid, solver, file=str(file)), _cell())


def test_numbers_that_are_not_finite_and_files_that_are_not_there(tmp_path: Path) -> None:
    file = _keep(tmp_path / "kept.json", "karras", "s4s")
    content = json.loads(file.read_text())
    content["entries"][0]["numbers"][0][0] = float("nan")
    file.write_text(json.dumps(content))
    with pytest.raises(BenchError, match=r"kept\.json: .*; make it by `bench calibrate`"):
        _run(*_methods("karras", "s4s", file=str(file)), _cell())
    with pytest.raises(BenchError, match="No such file"):
        _run(*_methods("karras", "s4s", file=str(tmp_path / "none.json")), _cell())


def test_a_file_says_no_thing_twice(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="two entries for s4s"):
        _keep(tmp_path / "kept.json", "karras", "s4s", (4, 4))
    assert not (tmp_path / "kept.json").exists()
