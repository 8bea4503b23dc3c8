"""Functions of users under the host's loop: the same samples as ours, and clear refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bench.api import (
    BenchError,
    Model,
    NoiseStream,
    Problem,
    Sampler,
    Stepper,
    UnsupportedError,
)
from bench.registry import ParameterError
from bench.testing import process_of, stepper_of

SAME: dict[str, tuple[dict[str, Any], str, str]] = {
    "k euler": ({"call": "euler", "signature": "k_diffusion"}, "ddim", "karras"),
    "k heun": ({"call": "heun", "signature": "k_diffusion"}, "edm_heun", "log_snr"),
    "k ancestral": ({"call": "ancestral", "signature": "k_diffusion"}, "euler_a", "karras"),
    "k multistep": ({"call": "multistep", "signature": "k_diffusion"}, "dpmpp_2m", "karras"),
    "edm": ({"call": "edm_heun", "signature": "edm"}, "edm_heun", "karras"),
    "dpm_solver": ({"call": "exponential", "signature": "dpm_solver"}, "ddim", "log_snr"),
    "dpm_solver to zero": (
        {
            "call": "exponential",
            "signature": "dpm_solver",
            "params": {"denoise_to_zero": True},
        },
        "ddim",
        "log_snr",
    ),
    "dpm_solver class": ({"call": "Exponential", "signature": "dpm_solver"}, "ddim", "log_snr"),
    "plain": ({"call": "plain_ancestral"}, "euler_a", "karras"),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_samples_and_costs_are_those_of_our_own(
    foreign: Any, mixture: Model, network: Model, name: str, dtype: torch.dtype
) -> None:
    given, ours, grid = SAME[name]
    for model in (mixture, network):
        course = foreign.Course(model, grid=grid, dtype=dtype)
        theirs, own = course.run(foreign.function(**given)), course.run(stepper_of(ours))
        assert theirs.nfe == own.nfe
        assert theirs.x.dtype == dtype
        assert float((theirs.x - own.x).abs().max()) < 1e-5 * float(own.x.abs().max())


@pytest.mark.parametrize("process", ["ve", "edm", "rectified_flow"])
def test_the_process_does_not_matter_to_levels(foreign: Any, mixture: Model, process: str) -> None:
    course = foreign.Course(mixture, process=process)
    theirs, own = (
        course.run(foreign.function("heun", "k_diffusion")),
        course.run(stepper_of("edm_heun")),
    )
    assert float((theirs.x - own.x).abs().max()) < 1e-9


@pytest.mark.parametrize("name", SAME)
def test_measured_costs_are_counted_and_spend_budgets(
    foreign: Any, mixture: Model, name: str
) -> None:
    given, ours, grid = SAME[name]
    theirs, own = Sampler(foreign.function(**given)), Sampler(stepper_of(ours))
    course = foreign.Course(mixture, grid=grid)
    for budget in (5, 8, 13, 40):
        steps = theirs.steps_for(budget)
        assert steps == own.steps_for(budget)
        assert course.run(theirs.stepper, steps, 4, 4).nfe == theirs.cost(steps) <= budget


def test_a_search_for_many_steps_is_short(foreign: Any, mixture: Model) -> None:
    counts: list[int] = []

    class Counting(type(foreign.function("heun", "k_diffusion"))):  # type: ignore[misc]
        def cost(self, steps: int) -> int:
            counts.append(steps)
            return int(super().cost(steps))

    sampler = Sampler(Counting(call="friendly_samplers:heun", signature="k_diffusion"))
    assert sampler.steps_for(401) == 200
    assert len(counts) < 15


def test_a_sample_does_not_depend_on_its_batch(foreign: Any, mixture: Model) -> None:
    for stepper in (
        foreign.function("ancestral", "k_diffusion"),
        foreign.function("plain_ancestral"),
        foreign.function("euler", "k_diffusion", params={"churn": 0.2}),
        foreign.function("edm_heun", "edm", params={"gamma": 0.2}),
    ):
        assert stepper.stochastic
        assert not stepper.batch_coupled
        whole = foreign.Course(mixture).run(stepper, count=40, batch=40).x
        parts = foreign.Course(mixture).run(stepper, count=40, batch=7).x
        assert float((whole - parts).abs().max()) < 1e-9


def test_coupled_functions_run_by_shards(foreign: Any, mixture: Model) -> None:
    stepper = foreign.function("coupled", "hostile")
    assert stepper.batch_coupled
    assert "shard" in stepper.note()
    whole = foreign.Course(mixture).run(stepper, count=80, batch=80).x
    parts = foreign.Course(mixture).run(stepper, count=80, batch=10).x
    assert torch.equal(whole, parts)


def test_noise_in_any_way_is_the_samples_own(foreign: Any, mixture: Model) -> None:
    for name in ("rolls_torch", "own_generator"):
        stepper = foreign.function(name, "hostile")
        before = torch.get_rng_state()
        whole = foreign.Course(mixture).run(stepper, count=10, batch=10).x
        torch.manual_seed(99)
        parts = foreign.Course(mixture).run(stepper, count=10, batch=3).x
        assert float((whole - parts).abs().max()) < 1e-9
        torch.set_rng_state(before)


@pytest.mark.parametrize("name", ["rolls_numpy", "rolls_random", "rolls_indices", "rolls_a_row"])
def test_other_draws_are_refused_and_leave_no_trace(
    foreign: Any, mixture: Model, name: str
) -> None:
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    with pytest.raises(BenchError, match=f"hostile_samplers:{name}' draws"):
        foreign.Course(mixture).run(foreign.function(name, "hostile"))
    after = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert after == before


def test_torch_draws_freely_again_afterwards(foreign: Any) -> None:
    with pytest.raises(BenchError):
        foreign.function("raises", "hostile").cost(2)
    torch.manual_seed(1)
    first = torch.randn(3)
    torch.manual_seed(1)
    assert torch.equal(torch.randn(3), first)


FAULTS = {
    "raises": r"raises IndexError: .*\(hostile_samplers.py:\d+\)",
    "other_shape": "returns samples of shape",
    "other_dtype": "returns samples of dtype torch.float16",
    "other_device": "returns samples of device meta",
    "a_pair": "returns a tuple, no tensor",
    "not_finite": "values that are not finite",
    "above": "at noise level 1.?[0-9e+]*; the grid goes",
    "below": "at noise level 0; the grid goes",
    "no_level": "a noise level that is a str",
    "half_a_batch": "a state of shape",
    "mixed": "a state of torch.float16 in a run of torch.float64",
    "endless": "does not end",
    "moody": "evaluations here, and",
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_in_one_line(foreign: Any, mixture: Model, name: str) -> None:
    with pytest.raises(BenchError, match=FAULTS[name]) as told:
        foreign.Course(mixture).run(foreign.function(name, "hostile"))
    assert f"hostile_samplers:{name}" in str(told.value)
    assert "\n" not in str(told.value)


def test_costs_that_fall_are_refused(foreign: Any) -> None:
    with pytest.raises(UnsupportedError, match="no budget could set its steps"):
        [foreign.function("cheaper", "hostile").cost(steps) for steps in range(1, 8)]


def test_a_grid_that_a_function_does_not_follow_is_refused(foreign: Any, mixture: Model) -> None:
    for call, signature, grid in (
        ("edm_heun", "edm", "log_snr"),
        ("exponential", "dpm_solver", "karras"),
    ):
        with pytest.raises(UnsupportedError, match="makes its own grid, which is not this one"):
            foreign.Course(mixture, grid=grid).run(foreign.function(call, signature))


def test_a_process_that_is_not_variance_preserving_is_refused(foreign: Any, mixture: Model) -> None:
    course = foreign.Course(mixture, process="edm", grid="log_snr")
    with pytest.raises(UnsupportedError, match="variance-preserving processes, and 'edm' is none"):
        course.run(foreign.function("exponential", "dpm_solver"))


def test_overlapping_noise_has_to_be_told(foreign: Any, mixture: Model) -> None:
    with pytest.raises(UnsupportedError, match="noise: brownian"):
        foreign.Course(mixture).run(foreign.function("overlaps", "k_diffusion"))
    for noise in ("brownian", "independent"):
        foreign.Course(mixture).run(foreign.function("overlaps", "k_diffusion", noise=noise))


def test_a_brownian_path_has_its_covariance() -> None:
    from bench_plugins.foreign.increments import Brownian

    stream = NoiseStream(0, "sampler", 0, 40_000, (), torch.float64)
    path = Brownian(stream.normal)
    first, whole, inner = path(9.0, 4.0), path(9.0, 1.0), path(6.0, 5.0)
    assert torch.equal(path(9.0, 4.0), first)
    for one, other, wanted in (
        (first, first, 1.0),
        (whole, whole, 1.0),
        (inner, inner, 1.0),
        (first, whole, 5 / (5 * 8) ** 0.5),
        (first, inner, 1 / 5**0.5),
        (path(4.0, 1.0), inner, 0.0),
    ):
        assert abs(float((one * other).mean()) - wanted) < 0.025


def test_the_last_step_is_the_functions_own_or_the_hosts(foreign: Any) -> None:
    zero, level = (
        foreign.function("heun", "k_diffusion"),
        foreign.function("heun", "k_diffusion", end="s_min"),
    )
    assert zero.finishes
    assert not level.finishes
    assert zero.cost(5) == level.cost(5) + 1 == 11
    assert Sampler(zero).cost(5) == Sampler(level).cost(5) == 11
    assert Sampler(zero).finish_cost == 0
    assert "ends in x_0" in zero.note()
    assert "ends at s_min" in level.note()


def test_both_ends_give_the_same_samples(foreign: Any, mixture: Model) -> None:
    for call in ("euler", "heun", "multistep"):
        one = foreign.Course(mixture).run(foreign.function(call, "k_diffusion"))
        other = foreign.Course(mixture).run(foreign.function(call, "k_diffusion", end="s_min"))
        assert one.nfe == other.nfe
        assert float((one.x - other.x).abs().max()) < 1e-9


def test_the_input_is_left_alone(foreign: Any) -> None:
    process = process_of("edm")
    times = tuple(map(process.at_s, (10.0, 1.0, 0.1)))
    x = torch.ones(4, 1, dtype=torch.float64)
    foreign.function("heun", "k_diffusion", end="s_min").solve(
        Problem(process, lambda y, s: 0.5 * y), x, times
    )
    assert torch.equal(x, torch.ones_like(x))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"call": "nowhere"}, "call must be package.module:name"),
        ({"params": {"a": float("nan")}}, "params must be finite"),
        ({"order": 0}, "order must be from 1"),
        ({"signature": "edm", "end": "s_min"}, "is not that of signature edm"),
        ({"signature": "dpm_solver", "end": "zero"}, "is not that of signature dpm_solver"),
        ({"noise": "brownian"}, "has no noise_sampler"),
    ],
)
def test_parameters_are_checked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        stepper_of("function", **given)


@pytest.mark.parametrize(
    ("call", "params", "message"),
    [
        ("friendly_samplers:euler", {"chrun": 1}, "has no parameter 'chrun', only: churn"),
        ("friendly_samplers:euler", {"sigmas": 1}, "may not set 'sigmas', which is given"),
        ("friendly_samplers:edm_heun", {}, "takes no `sigmas`"),
        ("friendly_samplers:nobody", {}, "is no function or class"),
        ("no_such_module_here:f", {}, "cannot be imported"),
    ],
)
def test_calls_are_checked(call: str, params: dict[str, Any], message: str) -> None:
    stepper = stepper_of("function", call=call, signature="k_diffusion", params=params)
    with pytest.raises(BenchError, match=message):
        stepper.cost(3)


def test_parameters_can_be_hashed_and_compared(foreign: Any) -> None:
    one, other = (foreign.function("euler", "k_diffusion", params={"churn": x}) for x in (0.1, 0.2))
    assert one == foreign.function("euler", "k_diffusion", params={"churn": 0.1})
    assert one != other
    assert len({one, other, replace(one, params={"churn": 0.2})}) == 2
    assert isinstance(one, Stepper)


def test_a_function_may_want_some_steps(foreign: Any) -> None:
    stepper = foreign.function("impatient", "hostile")
    assert [stepper.cost(steps) for steps in (3, 4, 5)] == [3, 4, 5]
    with pytest.raises(BenchError, match="raises AssertionError"):
        stepper.cost(2)
