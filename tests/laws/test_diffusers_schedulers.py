"""Schedulers of diffusers by the adapter: cost, batches, noise, and the same samples as ours."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from bench.api import (
    BenchError,
    BrownianPath,
    CountedDenoiser,
    Draw,
    Problem,
    Sampler,
    UnsupportedError,
    generate,
)
from bench.registry import ParameterError
from bench.testing import grid_of, model_of, process_of, stepper_of
from bench.testing.weak_order import Gaussian, propagated_moments
from bench_plugins.diffusers_schedulers.dialects import DIALECTS, REFUSED
from bench_plugins.models.closed_form import Mixture

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning"),
]

NOISY = {
    "DDPMParallelScheduler", "DDPMScheduler", "EulerAncestralDiscreteScheduler",
    "FlowMatchLCMScheduler", "KDPM2AncestralDiscreteScheduler", "LCMScheduler",
    "LTXEulerAncestralRFScheduler", "SASolverScheduler", "TCDScheduler", "UnCLIPScheduler",
}  # fmt: skip
CLIPS = {
    "CogVideoXDDIMScheduler",
    "DDIM",
    "DDPM",
    "LCMScheduler",
    "TCDScheduler",
    "UnCLIPScheduler",
}
S_MIN, S_MAX = 1e-4, 3e4
KARRAS = {"use_karras_sigmas": True}
THIRD = {**KARRAS, "solver_order": 3, "lower_order_final": False}
SDE = {**KARRAS, "algorithm_type": "sde-dpmsolver++"}
HEUN = {"solver_type": "heun"}
NOISE = {**KARRAS, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}
RANDOM = {"stochastic_sampling": True}
LARGE = {"variance_type": "fixed_large"}
INSTALLED = [n for n in DIALECTS if not hasattr(getattr(diffusers, n, None), "_backends")]


def _config(name: str, **more: Any) -> dict[str, Any]:
    return {"clip_sample": False, **more} if name.startswith(tuple(CLIPS)) else more


def _both(
    name: str, config: dict[str, Any], process: str = "edm", steps: int = 9, **more: Any
) -> Any:
    """The adapter and its grid's times."""
    times = grid_of("diffusers", scheduler=name, config=config).times(
        process_of(process), steps, S_MIN, more.pop("s_max", S_MAX)
    )
    return stepper_of("diffusers", scheduler=name, config=config, **more), times


def _samples(
    model: Any, stepper: Any, times: Any, process: str = "edm", batch: int = 64, count: int = 64
) -> tuple[Tensor, float]:
    counted = CountedDenoiser(model.denoise)
    draw = Draw(0, count, batch, (2,), torch.float64)
    with torch.no_grad():
        batches = generate(process_of(process), counted, Sampler(stepper), times, draw)
        x = torch.cat([b.x for b in batches])
    return x, counted.evaluations.nfe(count)


def _gap(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.parametrize("name", INSTALLED)
def test_every_scheduler_runs_at_its_declared_cost_in_any_batch(plane: Mixture, name: str) -> None:
    solver, times = _both(name, _config(name))
    before = torch.get_rng_state()
    whole, nfe = _samples(plane, solver, times)
    few, _ = _samples(plane, solver, times, batch=3, count=9)
    assert torch.equal(torch.get_rng_state(), before)
    assert nfe == Sampler(solver).cost(len(times) - 1)
    assert bool(torch.isfinite(whole).all())
    assert whole.std() < 3  # the data's is about 1
    # Their arithmetic is float32.
    assert _gap(few, whole[:9]) < 1e-5


def test_its_nature_is_measured(plane: Mixture) -> None:
    """Deterministic or not by the samples of two seeds; eta and churn are arguments of `step`."""
    for name in INSTALLED:
        assert _both(name, _config(name))[0].stochastic == (name in NOISY), name
    plain = _config("DDIMScheduler")
    solver, _ = _both("DDIMScheduler", plain, arguments={"eta": 1.0})
    assert solver.stochastic
    assert not solver.batch_coupled
    assert not stepper_of("diffusers", scheduler="DDIMScheduler", arguments={"eta": 0.0}).stochastic


def test_noise_that_was_not_seen_before_is_refused(plane: Mixture) -> None:
    """Churn between two of the levels at which its nature is measured."""
    levels = _both("EulerDiscreteScheduler", {}, steps=8)[1]
    window = {"s_tmin": levels[3].s * 1.01, "s_tmax": levels[2].s * 0.99}
    churn = {"arguments": {"s_churn": 1.0, **window}}
    solver, times = _both("EulerDiscreteScheduler", {}, steps=8, **churn)
    assert not solver.stochastic
    assert bool(torch.isfinite(_samples(plane, solver, times)[0]).all())
    solver, times = _both("EulerDiscreteScheduler", {}, steps=29, **churn)
    with pytest.raises(BenchError, match="taken for a deterministic one"):
        _samples(plane, solver, times)


SAME: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("DDIMScheduler", {}, "ddim", {}, "edm"),
    ("DDIMScheduler", {"set_alpha_to_one": False}, "ddim", {}, "vp"),
    ("DDIMScheduler", {"prediction_type": "v_prediction"}, "ddim", {}, "vp"),
    ("DDIMScheduler", {"prediction_type": "sample"}, "ddim", {}, "vp"),
    ("DDPMScheduler", {}, "ancestral", {}, "vp"),
    ("DDPMScheduler", LARGE, "ancestral", {"forward_variance": True}, "vp"),
    ("DPMSolverMultistepScheduler", KARRAS, "dpmpp_2m", {}, "edm"),
    ("DPMSolverMultistepScheduler", THIRD, "dpmpp_3m", {}, "edm"),
    ("EDMDPMSolverMultistepScheduler", {}, "dpmpp_2m", {}, "edm"),
    ("UniPCMultistepScheduler", KARRAS, "unipc", {"p": 2}, "edm"),
    ("DEISMultistepScheduler", KARRAS, "deis_tab", {"q": 1}, "ve"),
    ("EulerDiscreteScheduler", KARRAS, "ddim", {}, "edm"),
    ("EulerDiscreteScheduler", {**KARRAS, "prediction_type": "v_prediction"}, "ddim", {}, "edm"),
    ("EDMEulerScheduler", {"prediction_type": "v_prediction"}, "ddim", {}, "edm"),
    ("EulerAncestralDiscreteScheduler", {}, "euler_a", {}, "edm"),
    ("HeunDiscreteScheduler", KARRAS, "edm_heun", {}, "edm"),
    ("KDPM2DiscreteScheduler", KARRAS, "dpm_solver_2", {}, "edm"),
    ("KDPM2AncestralDiscreteScheduler", KARRAS, "dpm2_a", {}, "edm"),
    ("PNDMScheduler", {"skip_prk_steps": True}, "plms", {}, "edm"),
    ("CogVideoXDDIMScheduler", {}, "ddim", {}, "edm"),
    ("DPMSolverMultistepScheduler", SDE, "dpmpp_2m_sde", {}, "edm"),
    ("DPMSolverMultistepScheduler", {**SDE, **HEUN}, "dpmpp_2m_sde", {"heun": True}, "edm"),
    ("DPMSolverMultistepScheduler", NOISE, "dpm_solver_multistep", {}, "edm"),
    ("EDMDPMSolverMultistepScheduler", {"solver_order": 3}, "dpmpp_3m", {}, "edm"),
    ("FlowMatchEulerDiscreteScheduler", RANDOM, "flow_stochastic", {}, "rectified_flow"),
    ("FlowMatchLCMScheduler", {}, "flow_stochastic", {}, "rectified_flow"),
    ("LCMScheduler", {}, "flow_stochastic", {}, "edm"),
]  # fmt: skip


@pytest.mark.parametrize("case", SAME, ids=[f"{a[0]}-{a[2]}-{i}" for i, a in enumerate(SAME)])
def test_the_same_method_gives_the_same_samples(plane: Mixture, case: Any) -> None:
    name, config, ours, parameters, where = case
    solver, times = _both(name, _config(name, **config), where, steps=19, s_max=200.0)
    theirs, _ = _samples(plane, solver, times, where)
    mine, _ = _samples(plane, stepper_of(ours, **parameters), times, where)
    assert _gap(theirs, mine) < 1e-5


def test_eta_is_an_argument_of_its_step(plane: Mixture) -> None:
    config = _config("DDIMScheduler")
    solver, times = _both("DDIMScheduler", config, "vp", arguments={"eta": 1.0})
    theirs, _ = _samples(plane, solver, times, "vp")
    assert _gap(theirs, _samples(plane, stepper_of("ddim_eta", eta=1.0), times, "vp")[0]) < 1e-5


def test_lms_differs_by_its_quadrature(plane: Mixture) -> None:
    solver, times = _both("LMSDiscreteScheduler", KARRAS, steps=19)
    gap = _gap(_samples(plane, solver, times)[0], _samples(plane, stepper_of("lms"), times)[0])
    assert 1e-6 < gap < 1e-3


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("FlowMatchEulerDiscreteScheduler", "ddim"),
        ("FlowMatchHeunDiscreteScheduler", "flow_heun"),
    ],
)
def test_a_start_at_noise_alone_is_the_limit_of_large_s_max(
    plane: Mixture, name: str, ours: str
) -> None:
    gaps = []
    for s_max in (400.0, 40_000.0):
        solver, times = _both(name, {}, "rectified_flow", steps=19, s_max=s_max)
        theirs, _ = _samples(plane, solver, times, "rectified_flow")
        mine, _ = _samples(plane, stepper_of(ours), times, "rectified_flow")
        gaps.append(_gap(theirs, mine))
    assert gaps[1] < gaps[0] / 10


def test_ipndm_does_not_use_its_first_evaluation(plane: Mixture) -> None:
    """At noise alone it divides by alpha = 0, and takes 0 for x_0 whatever the network says."""
    solver, times = _both("IPNDMScheduler", {}, s_max=400.0)
    calls: list[float] = []

    class Wrong:
        def denoise(self, y: Tensor, s: Tensor) -> Tensor:
            calls.append(float(s))
            return plane.denoise(y, s) + (7.0 if len(calls) == 1 else 0.0)

    assert _gap(_samples(Wrong(), solver, times)[0], _samples(plane, solver, times)[0]) < 1e-6
    assert calls[0] == pytest.approx(400.0)


def test_trailing_timesteps_of_ddim_do_not_meet_unless_they_divide(plane: Mixture) -> None:
    config = _config("DDIMScheduler", timestep_spacing="trailing")
    gaps = []
    for steps in (19, 20):  # 20 inference steps divide 1000, 21 do not
        solver, times = _both("DDIMScheduler", config, steps=steps)
        mine, _ = _samples(plane, stepper_of("ddim"), times)
        gaps.append(_gap(_samples(plane, solver, times)[0], mine))
    assert gaps[0] < 1e-5
    assert gaps[1] > 1e-3


def _error(order: int, steps: int) -> float:
    """Of the variance of x_0 on a Gaussian, without Monte-Carlo noise."""
    config = {**KARRAS, "algorithm_type": "sde-dpmsolver++", "solver_order": order}
    config |= {
        "solver_type": "heun" if order == 3 else "midpoint",
        "beta_schedule": "scaled_linear",
    }
    config |= {"beta_start": 0.00085, "beta_end": 0.012, "final_sigmas_type": "zero"}
    name = "DPMSolverMultistepScheduler"
    solver, times = _both(name, config, steps=steps)
    ours = stepper_of("dpmpp_3m_sde" if order == 3 else "dpmpp_2m_sde")
    process = process_of("edm")
    theirs = propagated_moments(process, Sampler(solver), times, Gaussian())
    mine = propagated_moments(process, Sampler(ours), times, Gaussian())
    return abs(theirs[1] / mine[1] - 1)


def test_its_third_order_sde_solver_has_a_wrong_sign() -> None:
    """diffusers 0.42: of order 2 the moments are ours, of order 3 far off and slow to converge."""
    assert _error(2, 20) < 1e-5
    wrong = [_error(3, steps) for steps in (20, 40)]
    assert wrong[0] > 1e-2
    assert wrong[1] > wrong[0] / 4  # an error of second order would fall by four at least


@pytest.mark.parametrize(
    "name", ["DDIMScheduler", "UniPCMultistepScheduler", "HeunDiscreteScheduler"]
)
def test_it_runs_on_a_network(name: str) -> None:
    loaded = model_of("digits_mlp").load(torch.device("cpu"), torch.float32)
    config = _config(name, beta_start=0.0005, beta_end=0.0165)
    solver, times = _both(name, config, "vp", steps=7, s_max=loaded.s_max)
    counted = CountedDenoiser(loaded.alike())
    draw = Draw(0, 8, 8, loaded.shape)
    with torch.no_grad():
        (batch,) = generate(process_of("vp"), counted, Sampler(solver), times, draw)
    assert bool(torch.isfinite(batch.x).all())
    assert float(batch.x.abs().max()) < 3


def test_budgets_buy_the_inference_steps_that_fit() -> None:
    heun = stepper_of("diffusers", scheduler="HeunDiscreteScheduler")
    assert Sampler(heun).steps_for(19) == 9  # ten inference steps: 2 N - 1
    assert Sampler(heun).steps_for(20) == 9
    ddim = stepper_of("diffusers", scheduler="DDIMScheduler")
    assert Sampler(ddim).steps_for(10) == 9  # the last goes to x_0
    lcm = stepper_of("diffusers", scheduler="LCMScheduler")
    assert Sampler(lcm).steps_for(500) < 50  # of its fifty original steps


def test_other_grids_and_ranges_are_refused(plane: Mixture) -> None:
    solver, _ = _both("DDIMScheduler", _config("DDIMScheduler"))
    times = grid_of("karras").times(process_of("edm"), 9, 0.01, 80.0)
    with pytest.raises(UnsupportedError, match="own noise levels alone"):
        _samples(plane, solver, times)
    with pytest.raises(UnsupportedError, match=r"outside of 80 to 0\.002"):
        grid_of("diffusers", scheduler="DDIMScheduler").times(process_of("edm"), 50, 0.002, 80.0)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"use_karras": True}, "takes no 'use_karras'"),
        ({"beta_schedule": "none"}, "NotImplementedError"),
    ],
)
def test_a_bad_configuration_is_refused(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(BenchError, match=reason):
        stepper_of("diffusers", scheduler="DDIMScheduler", config=config).make()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["RePaintScheduler", "Nothing"])
def test_other_classes_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=REFUSED.get(name, "must be one of")):
        stepper_of("diffusers", scheduler=name)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UnsupportedError, match=r"pip install scorebench\[diffusers\]"):
        stepper_of("diffusers").make()  # type: ignore[attr-defined]


def test_a_record_is_read_and_part_of_the_identity(tmp_path: Path) -> None:
    record = tmp_path / "scheduler" / "scheduler_config.json"
    record.parent.mkdir()
    found = {"_class_name": "DDIMScheduler", "beta_end": 0.012, "clip_sample": False}
    record.write_text(json.dumps(found))
    recipe: Any = stepper_of("diffusers", scheduler="", config_file=str(tmp_path))
    made = recipe.make()
    assert isinstance(made, diffusers.DDIMScheduler)
    assert made.config.beta_end == 0.012
    before = dict(recipe.contents())
    record.write_text(json.dumps({**found, "beta_end": 0.015}))
    assert dict(recipe.contents()) != before
    assert diffusers.__version__ in recipe.fingerprint()
    record.write_text(json.dumps({**found, "no_such_key": 1}))
    with pytest.raises(BenchError, match="takes no 'no_such_key'"):
        recipe.make()


def test_own_start_is_init_noise_sigma(plane: Mixture) -> None:
    """x_T = eps instead of sigma_T eps: a factor of sqrt(1 + 1/s^2), about 2e-3 at s = 14.6."""
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    config |= {"clip_sample": False, "timestep_spacing": "trailing"}
    solver, times = _both("DDIMScheduler", config)
    own = stepper_of("diffusers", scheduler="DDIMScheduler", config=config, own_start=True)
    factor = math.sqrt(1 + times[0].s ** -2)
    assert factor - 1 == pytest.approx(2.3e-3, rel=0.1)
    x = torch.ones(3, 2, dtype=torch.float64) * times[0].sigma
    problem = Problem(process_of("edm"), CountedDenoiser(plane.denoise))
    theirs, scaled = own.solve(problem, x, times), solver.solve(problem, x * factor, times)
    assert _gap(theirs, scaled) < 1e-5


def test_a_path_of_ones_own_is_brownian() -> None:
    """Increments have the variance of their length; parts add up; none depends on the order."""
    stream = torch.Generator().manual_seed(0)
    path = BrownianPath(lambda: torch.randn(20_000, generator=stream, dtype=torch.float64))
    half, whole = path(4.0, 3.0), path(4.0, 1.0)  # as DPM-Solver++ SDE asks
    inner = path(3.0, 2.0)  # between known points
    for z in (half, whole, inner):
        assert float(z.mean()) == pytest.approx(0, abs=0.03)
        assert float(z.var()) == pytest.approx(1, rel=0.05)
    assert float((half * whole).mean()) == pytest.approx(math.sqrt(1 / 3), rel=0.05)
    assert float((half * inner).mean()) == pytest.approx(0, abs=0.03)
    torch.testing.assert_close(half + inner + path(2.0, 1.0), math.sqrt(3) * whole)


def test_without_the_library_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    grid = grid_of("diffusers", scheduler="UniPCMultistepScheduler", config={"beta_end": 0.0164})
    with pytest.raises(UnsupportedError, match=r"^diffusers cannot be imported .* pip install"):
        grid.times(process_of("vp"), 6, 0.002, 80.0)
