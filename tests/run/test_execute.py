"""One cell: its numbers do not depend on how they were made, and its row says what they cost."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from bench.core.arithmetic import tf32
from bench.core.metric import Trial
from bench.core.sample import Draw, Sampler, generate
from bench.results.schema import COLUMNS
from bench.results.store import Row
from bench.run.cell import Cell
from bench.run.columns import cost_columns
from bench.run.execute import run_cell
from bench.run.machine import Machine, WorkerOptions, choose_device
from bench.run.sampling import SamplingCost
from bench_plugins.ddim.ddim import DDIM

Planner = Callable[[str], tuple[Cell, ...]]
Runner = Callable[[Cell], list[Row]]

DIGITS = (
    "suites:\n  a:\n    models: [digits_mlp]\n    nfe: [6]\n    samples: 256\n"
    "    solvers: [{solver}]\n    metrics: [{metrics}]\n"
)
POINTS = DIGITS.replace("digits_mlp", "gaussian_mixture").replace("256", "192")


def _with(cell: Cell, **protocol: Any) -> Cell:
    return replace(cell, protocol=replace(cell.protocol, **protocol))


def _values(rows: list[Row]) -> dict[str, tuple[str, float | None, float | None]]:
    return {row["metric"]: (row["status"], row.get("value"), row.get("std_error")) for row in rows}


@pytest.mark.parametrize(
    "solver",
    ["ddim", "heun", "ancestral", "{name: ancestral, corrector: langevin}", "euler_maruyama"],
)
def test_numbers_do_not_depend_on_the_batch(
    solver: str, cells_of: Planner, rows_of: Runner
) -> None:
    (cell,) = cells_of(DIGITS.format(solver=solver, metrics="fd_digits, rmse"))
    first, *others = (_values(rows_of(_with(cell, batch=batch))) for batch in (64, 128, 256))
    assert first["fd_digits"][0] == "ok"
    assert others == [first, first]


def test_numbers_of_a_batch_coupled_solver_do_not_depend_on_the_batch(
    cells_of: Planner, rows_of: Runner
) -> None:
    (cell,) = cells_of(POINTS.format(solver="{name: dopri5, rtol: 1e-2}", metrics="swd, rmse"))
    one, two = (rows_of(_with(cell, batch=batch)) for batch in (64, 192))
    assert _values(one) == _values(two)
    assert {row["batch_coupled"] for row in one} == {True}
    assert {row["budget"] for row in one} == {None}
    assert one[0]["nfe"] == two[0]["nfe"] > 6


def test_the_first_samples_are_the_same_whatever_their_number(cells_of: Planner) -> None:
    (cell,) = cells_of(POINTS.format(solver="ancestral", metrics="swd"))
    machine = Machine("cpu", 1, 1)
    few, many = (run_cell(_with(cell, samples=n), machine).samples for n in (64, 192))
    assert few is not None
    assert many is not None
    assert (few == many[:64]).all()


def test_float32_is_not_tf32_while_a_cell_runs(
    cells_of: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()

    def watched(*arguments: Any) -> Any:
        seen.add((torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32))
        return generate(*arguments)

    monkeypatch.setattr("bench.run.sampling.generate", watched)
    (cell,) = cells_of(POINTS.format(solver="ddim", metrics="swd"))
    with tf32(True):
        run_cell(cell, Machine("cpu", 1, 1))
        assert torch.backends.cudnn.allow_tf32
    assert seen == {(False, False)}


def test_other_seeds_give_other_samples(cells_of: Planner) -> None:
    one, two = cells_of(POINTS.format(solver="ddim", metrics="swd") + "    seeds: [0, 1]\n")
    machine = Machine("cpu", 1, 1)
    first, second = run_cell(one, machine).samples, run_cell(two, machine).samples
    assert first is not None
    assert second is not None
    assert abs(first - second).min() > 0


def test_a_row_has_the_columns_of_the_schema_and_no_others(
    cells_of: Planner, rows_of: Runner
) -> None:
    (cell,) = cells_of(POINTS.format(solver="ddim", metrics="rmse"))
    rows = rows_of(cell)
    assert {name for row in rows for name in row} == {column.name for column in COLUMNS}


def test_cost_is_measured(cells_of: Planner, rows_of: Runner) -> None:
    solvers = "ddim, heun, rk4, {name: ancestral, corrector: langevin}"
    found = {}
    for cell in cells_of(POINTS.format(solver=solvers, metrics="swd")):
        (row,) = rows_of(cell)
        found[cell.sampler] = (row["steps"], row["nfe"], row["nfe_declared"], row["over_budget"])
        assert row["nfe_finish"] == 1.0
    assert found == {
        "ddim": (5, 6.0, 6, False),
        "heun": (2, 5.0, 5, False),
        "rk4": (1, 5.0, 5, False),
        "ancestral + langevin": (2, 5.0, 5, False),
    }


@pytest.mark.parametrize(("budget", "over"), [(7, False), (6, False), (5, True), (None, False)])
def test_one_evaluation_more_is_over_the_budget(
    budget: int | None, over: bool, cells_of: Planner
) -> None:
    (cell,) = cells_of(POINTS.format(solver="ddim", metrics="swd"))
    times = [SimpleNamespace(s=0.002)]
    trial = SimpleNamespace(sampler=Sampler(DDIM()), draw=Draw(0, 64, 64, (2,)), times=times)
    cost = SamplingCost(nfe=6.0, vjp=0.0, depth=6.0, declared=6, wall_s=1.0, rows=384, peak_mib=1.0)
    row = cost_columns(replace(cell, budget=budget), cast(Trial, trial), cost)
    assert row["over_budget"] is over


def test_without_the_final_denoise(cells_of: Planner, rows_of: Runner) -> None:
    (cell,) = cells_of(POINTS.format(solver="ddim", metrics="rmse") + "    finish: none\n")
    row = rows_of(cell)[0]
    assert (row["steps"], row["nfe"], row["nfe_finish"]) == (6, 6.0, 0.0)


@pytest.mark.parametrize(
    ("solver", "more", "metrics", "reason"),
    [
        ("ancestral", "", "rmse", "rmse needs an ODE solver"),
        ("{name: ddim, corrector: langevin}", "", "rmse", "rmse needs an ODE solver"),
        ("ancestral", "", "nll_nats", "a stochastic sampler has no likelihood"),
        ("ddim", "", "fd_digits", "compares with the data set 'digits'"),
        ("ddim", "", "nll_bpd", "needs held-out integer data"),
        ("rk4", "    nfe: [4]\n", "swd", "one step costs 5 NFE, more than the budget of 4"),
        ("ddim", "    s_min: 0.0001\n", "swd", "the model covers 0.002 to 80"),
        ("ddim", "    s_max: 1000.0\n", "swd", "the model covers 0.002 to 80"),
    ],
)
def test_what_has_no_meaning_is_unsupported(
    solver: str, more: str, metrics: str, reason: str, cells_of: Planner, rows_of: Runner
) -> None:
    text = POINTS.format(solver=solver, metrics=metrics)
    if "nfe" in more:
        text = text.replace("    nfe: [6]\n", "")
    (cell,) = cells_of(text + more)
    (row,) = rows_of(cell)
    assert row["status"] == "unsupported"
    assert reason in row["reason"]
    assert row.get("value") is None


def test_the_other_metrics_of_a_cell_are_kept(cells_of: Planner, rows_of: Runner) -> None:
    (cell,) = cells_of(POINTS.format(solver="ancestral", metrics="rmse, swd"))
    statuses = {row["metric"]: row["status"] for row in rows_of(cell)}
    assert statuses == {"rmse": "unsupported", "swd": "ok"}


def test_float64_runs_in_float64_from_the_same_noise(cells_of: Planner) -> None:
    # Not Heun in t: two such steps from s = 80 blow round-off up a thousandfold.
    (cell,) = cells_of(POINTS.format(solver="dpmpp_2m", metrics="rmse"))
    machine = Machine("cpu", 1, 1)
    single = run_cell(cell, machine)
    double = run_cell(_with(cell, dtype="float64"), machine)
    assert single.samples is not None
    assert double.samples is not None
    gap = abs(single.samples - double.samples).mean()
    assert 0 < gap < 1e-5
    assert double.rows[0]["dtype"] == "float64"


def test_samples_of_images_are_kept_as_bytes(cells_of: Planner) -> None:
    (cell,) = cells_of(DIGITS.format(solver="ddim", metrics="rmse"))
    result = run_cell(cell, Machine("cpu", 1, 1))
    assert result.samples is not None
    assert result.samples.shape == (16, 1, 8, 8)
    assert result.samples.dtype == "uint8"
    assert 30 < result.samples.max() <= 255


def test_devices_are_checked() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")
    for wrong in ("tpu", "cuda:x", "cuda:99", ""):
        with pytest.raises(Exception, match=f"--device {wrong}: "):
            choose_device(wrong)


def test_workers_are_never_more_than_cells_and_have_one_thread_each() -> None:
    assert WorkerOptions().on("cpu", 1) == Machine("cpu", threads=1, workers=1)
    assert WorkerOptions(workers=5).on("cpu", 3).workers == 3
    assert WorkerOptions().on("cuda:0", 9).workers == 1
    assert WorkerOptions().on("cpu", 100).workers == min(len(os.sched_getaffinity(0)), 8)
    assert WorkerOptions(workers=1, threads=4).on("cpu", 100) == Machine(
        "cpu", threads=4, workers=1
    )


def test_the_warm_up_goes_from_end_to_end(cells_of: Planner, rows_of: Runner) -> None:
    """Restart refuses grids that do not pass its interval, as the first steps alone do not."""
    (cell,) = cells_of(DIGITS.format(solver="restart", metrics="fd_digits").replace("[6]", "[20]"))
    (row,) = rows_of(cell)
    assert row["status"] == "ok"
    assert row["nfe"] == row["nfe_declared"] <= 20
    assert row["nfe_unspent"] == 20 - row["nfe"]


def test_the_note_of_a_corrector_is_in_the_row(cells_of: Planner, rows_of: Runner) -> None:
    solver = "{name: ancestral, corrector: {name: hmc, leapfrog: 1}}"
    (network,) = cells_of(DIGITS.format(solver=solver, metrics="fd_digits"))
    (closed,) = cells_of(POINTS.format(solver=solver, metrics="swd"))
    (plain,) = cells_of(POINTS.format(solver="ancestral", metrics="swd"))
    assert rows_of(network)[0]["note"] == "unadjusted: the model has no log density"
    assert rows_of(closed)[0]["note"] == "Metropolis-adjusted"
    assert rows_of(plain)[0]["note"] == ""


def test_options_of_the_denoiser_stand_in_the_row(cells_of: Planner, rows_of: Runner) -> None:
    text = POINTS.format(solver="{name: ddim, denoising: [null, {afs: true}]}", metrics="swd")
    plain, afs = (rows_of(cell)[0] for cell in cells_of(text))
    assert (plain["denoising"], afs["denoising"]) == ("", '{"afs":true}')
    assert plain["nfe"] == afs["nfe"] == plain["depth"] == afs["depth"] == afs["nfe_declared"]
    assert afs["steps"] == plain["steps"] + 1
    assert afs["value"] != plain["value"]
