"""Functions of k-diffusion's that take sigma_min and sigma_max instead of a grid."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.api import BenchError, Model, ParameterError, Sampler, Stepper, UnsupportedError
from bench.testing import stepper_of


def _numbered(call: str, **parameters: Any) -> Stepper[Any]:
    given = {"signature": "k_diffusion", **parameters}
    return stepper_of("function", call=f"range_samplers:{call}", **given)


def _adaptive(call: str = "solver_12", rtol: float = 0.05, **params: Any) -> Stepper[Any]:
    call = f"range_samplers:{call}"
    return stepper_of("adaptive_function", call=call, rtol=rtol, params=params)


@pytest.mark.parametrize(
    ("rho", "grid"), [(0.0, "log_snr"), (7.0, "karras")], ids=["log_snr", "karras"]
)
def test_a_function_that_makes_the_grids_levels_gives_our_samples(
    foreign: Any, mixture: Model, rho: float, grid: str
) -> None:
    course = foreign.Course(mixture, grid=grid)
    theirs = course.run(_numbered("euler", params={"rho": rho}))
    own = course.run(stepper_of("ddim"))
    assert theirs.nfe == own.nfe
    assert float((theirs.x - own.x).abs().max()) < 1e-9 * float(own.x.abs().max())


def test_steps_of_its_own_number_are_followed_on_a_grid_of_their_kind(
    foreign: Any, mixture: Model
) -> None:
    for process in ("vp", "edm"):
        course = foreign.Course(mixture, process, grid="log_snr")
        theirs, own = course.run(_numbered("heun"), 8), course.run(stepper_of("edm_heun"), 4)
        assert theirs.nfe == own.nfe == 9
        assert float((theirs.x - own.x).abs().max()) < 1e-9 * float(own.x.abs().max())


def test_the_number_spends_the_budget() -> None:
    for budget in (3, 8, 9, 20):
        for call, unspent in (("euler", 0), ("heun", (budget - 1) % 2)):
            sampler = Sampler(_numbered(call))
            assert sampler.cost(sampler.steps_for(budget)) == budget - unspent
            assert sampler.finish_cost == 1


@pytest.mark.parametrize(
    ("call", "rho", "grid", "remedy"),
    [
        ("euler", 0.0, "karras", "log_snr"),
        ("heun", 0.0, "uniform_t", "log_snr"),
        ("euler", 7.0, "log_snr", "one that has its levels"),
        ("heun", 7.0, "log_snr", "one that has its levels"),
        ("heun", 7.0, "karras", "one that has its levels"),
    ],
)
def test_a_grid_that_would_be_ignored_is_refused(
    foreign: Any, mixture: Model, call: str, rho: float, grid: str, remedy: str
) -> None:
    stepper = _numbered(call, params={"rho": rho})
    with pytest.raises(UnsupportedError, match=f"makes its own levels .* the grid {remedy}"):
        foreign.Course(mixture, grid=grid).run(stepper)


def test_they_end_at_the_last_level(foreign: Any, mixture: Model) -> None:
    stepper = _numbered("euler")
    assert not stepper.finishes
    assert "ends at s_min" in stepper.note()
    assert "its own levels" in stepper.note()
    with pytest.raises(UnsupportedError, match="has no end: zero"):
        foreign.Course(mixture, grid="log_snr").run(_numbered("euler", end="zero"))


def test_a_tolerance_gives_the_samples_of_our_own_adaptive_solver(
    foreign: Any, mixture: Model
) -> None:
    course = foreign.Course(mixture, process="edm")  # alpha = 1: errors of y are errors of x
    for rtol in (0.3, 0.05, 0.005):
        theirs = course.run(_adaptive(rtol=rtol, atol=0.156 * rtol), 1, 1, 1)
        own = course.run(stepper_of("dpm_adaptive_12", rtol=rtol), 1, 1, 1)
        assert theirs.nfe == own.nfe
        assert float((theirs.x - own.x).abs().max()) < 1e-9 * float(own.x.abs().max())


@pytest.mark.parametrize("s_noise", [0.0, 0.1])
def test_a_shared_error_norm_runs_by_shards(foreign: Any, mixture: Model, s_noise: float) -> None:
    stepper = _adaptive(s_noise=s_noise)
    assert stepper.batch_coupled
    assert stepper.stochastic == (s_noise > 0)
    assert "shard" in stepper.note()
    whole = foreign.Course(mixture).run(stepper, count=80, batch=80)
    parts = foreign.Course(mixture).run(stepper, count=80, batch=10)
    assert torch.equal(whole.x, parts.x)
    assert whole.nfe == parts.nfe


def test_the_default_example_converges_with_its_tolerance(foreign: Any, mixture: Model) -> None:
    course = foreign.Course(mixture)
    exact = course.run(stepper_of("dpm_solver_3"), 400).x
    found = [course.run(stepper_of("adaptive_function", rtol=rtol), 1) for rtol in (0.1, 1e-3)]
    errors = [float((run.x - exact).abs().median()) for run in found]
    assert errors[1] < errors[0] / 20
    assert found[0].nfe < found[1].nfe / 3


def test_a_tolerance_in_params_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="may not set 'rtol', which is given"):
        stepper_of(
            "adaptive_function", call="range_samplers:solver_12", params={"rtol": 0.2}
        ).note()


def test_each_kind_is_told_its_solver() -> None:
    with pytest.raises(UnsupportedError, match="run it by the solver adaptive_function"):
        _numbered("solver_12").cost(3)
    for call in ("euler", "no_tolerance"):
        with pytest.raises(UnsupportedError, match=f"'range_samplers:{call}' does not choose"):
            _adaptive(call).note()


def test_parameters_of_the_adaptive_one_are_checked() -> None:
    for given, message in (
        ({"rtol": 0.0}, "rtol must be > 0"),
        ({"call": "nowhere"}, "call must be package.module:name"),
        ({"order": 0}, "order must be from 1"),
        ({"params": {"a": float("inf")}}, "params must be finite"),
    ):
        with pytest.raises(ParameterError, match=message):
            stepper_of("adaptive_function", **given)


def test_an_adaptive_function_that_fails_is_told_in_one_line(foreign: Any) -> None:
    with pytest.raises(BenchError, match="raises ZeroDivisionError") as told:
        _adaptive(h_init=0.0).note()
    assert "\n" not in str(told.value)
