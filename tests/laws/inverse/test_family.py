"""What holds for every method: passes, batches, precision, randomness, refusals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.api import UnsupportedError
from bench.testing.plugins import stepper_of

GUIDANCES: dict[str, dict[str, object]] = {
    "ddnm": {},
    "diffpir": {},
    "dps": {"zeta": 0.05},
    "mcg": {"zeta": 0.05},
    "pigdm": {},
    "replacement": {},
}
SOLVERS: dict[str, dict[str, object]] = {
    "daps": {"ode_steps": 3},
    "ddnm_plus": {},
    "ddrm": {},
    "mcgdiff": {},
    "repaint": {"resamplings": 3, "jump": 2},
}
METHODS = (*GUIDANCES, *SOLVERS)
WITH_GRADIENT = {"dps", "mcg", "pigdm"}
NEEDS_LINEAR = sorted(set(METHODS) - {"dps"})


def _method(lab: SimpleNamespace, name: str, solver: str = "ancestral") -> tuple[Any, Any]:
    """The stepper and the guidance of a method."""
    if name in SOLVERS:
        return stepper_of(name, **SOLVERS[name]), None
    return stepper_of(solver), lab.guidance_of(name, **GUIDANCES[name])


@pytest.mark.parametrize("solver", ["ddim", "heun", "ancestral"])
@pytest.mark.parametrize("name", METHODS)
def test_passes_are_as_declared(lab: SimpleNamespace, name: str, solver: str) -> None:
    """For every budget from 1 to 40 that pays for a step."""
    if name in SOLVERS and solver != "ancestral":
        pytest.skip("a solver of its own")
    stepper, guidance = _method(lab, name, solver)
    price = sum(guidance.passes) if guidance else 1
    model, task, tried = lab.correlated().model, lab.inpainting(), set()
    for steps in range(1, 41):
        if price * (stepper.cost(steps) + 1) > 40:
            break
        tried.add(steps)
        run = lab.Setting(samples=2, steps=steps).run(model, task, stepper, guidance)
        assert sum(run.passes) == run.declared
        assert run.passes[1] == (run.passes[0] if name in WITH_GRADIENT else 0)
    assert len(tried) > 5


@pytest.mark.parametrize("name", METHODS)
def test_samples_depend_neither_on_batch_nor_on_number(lab: SimpleNamespace, name: str) -> None:
    stepper, guidance = _method(lab, name)
    model, task = lab.correlated().model, lab.inpainting(draws=8)
    whole = lab.Setting(samples=128, batch=128).run(model, task, stepper, guidance).x
    shards = lab.Setting(samples=128, batch=64).run(model, task, stepper, guidance).x
    torch.testing.assert_close(whole, shards, rtol=1e-9, atol=1e-9)
    if stepper.batch_coupled:  # runs in shards of 64, of which each is whole here
        few = lab.Setting(samples=64, batch=7).run(model, task, stepper, guidance).x
    else:
        few = lab.Setting(samples=21, batch=7).run(model, task, stepper, guidance).x
    torch.testing.assert_close(whole[: len(few)], few, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_randomness_is_its_own_and_inputs_stay(lab: SimpleNamespace, name: str) -> None:
    stepper, guidance = _method(lab, name)
    model, task = lab.correlated().model, lab.inpainting()
    before = torch.get_rng_state()
    once = lab.Setting().run(model, task, stepper, guidance)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(once.x, lab.Setting().run(model, task, stepper, guidance).x)
    assert not torch.equal(once.x, lab.Setting(seed=1).run(model, task, stepper, guidance).x)
    if guidance is None:
        return
    given = lab.given_of(lab.correlated().denoise, once.observation)
    y, memory = once.x.clone(), guidance.start(given)
    now = lab.Setting().times()[0]
    guidance.guide(given, y, torch.tensor(now.s, dtype=torch.float64), memory)
    guidance.settle(given, y, now, memory)
    assert torch.equal(y, once.x)


@pytest.mark.parametrize("name", METHODS)
def test_precision_and_process_matter_little(lab: SimpleNamespace, name: str) -> None:
    stepper, guidance = _method(lab, name)
    model, task = lab.correlated().model, lab.inpainting(noise=0.1)
    span = {"s_min": 0.02, "s_max": 40.0}
    double = lab.Setting(**span).run(model, task, stepper, guidance).x
    single = lab.Setting(**span, dtype=torch.float32).run(model, task, stepper, guidance).x
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=2e-2, atol=2e-3)
    # All work in y = x / alpha, and so do DDIM and ancestral sampling.
    other = lab.Setting(**span, process="ve").run(model, task, stepper, guidance).x
    torch.testing.assert_close(other, double, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NEEDS_LINEAR)
def test_an_operator_that_is_not_linear_is_refused(lab: SimpleNamespace, name: str) -> None:
    stepper, guidance = _method(lab, name)
    with pytest.raises(UnsupportedError, match="linear"):
        lab.Setting().run(lab.correlated().model, lab.SquaresTask(), stepper, guidance)


def test_dps_and_daps_take_any_operator(lab: SimpleNamespace) -> None:
    model, task = lab.correlated().model, lab.SquaresTask(noise=0.2)
    langevin = stepper_of("daps", langevin_steps=60, step_size=2e-4, decay=1.0)
    for stepper, guidance in ((langevin, None), _method(lab, "dps")):
        run = lab.Setting(samples=64, steps=20, s_min=0.1).run(model, task, stepper, guidance)
        assert bool(torch.isfinite(run.x).all())
        unconditional = lab.correlated().sample(64, 3)
        assert float(run.observation.misfit(run.x).median()) < 0.5 * float(
            run.observation.misfit(unconditional).median()
        )
    with pytest.raises(UnsupportedError, match="unstable"):
        lab.Setting(steps=20).run(model, task, langevin)
    with pytest.raises(UnsupportedError, match="noise"):
        lab.Setting().run(model, lab.SquaresTask(noise=0.0), langevin)


@pytest.mark.parametrize("name", ["ddnm", "replacement", "mcg", "diffpir"])
def test_without_noise_what_is_observed_is_returned(lab: SimpleNamespace, name: str) -> None:
    stepper, guidance = _method(lab, name)
    for task in (lab.inpainting(noise=0.0), lab.DenseTask(noise=0.0)):
        run = lab.Setting().run(lab.correlated().model, task, stepper, guidance)
        residual = run.observation.residual(run.x)
        torch.testing.assert_close(residual, torch.zeros_like(residual), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["repaint", "ddrm", "ddnm_plus", "mcgdiff", "daps"])
def test_solvers_return_what_is_observed_up_to_the_last_level(
    lab: SimpleNamespace, name: str
) -> None:
    """They end at s_min = 0.002, and the final denoise knows nothing of the observation."""
    stepper, _ = _method(lab, name)
    for task in (lab.inpainting(noise=0.0), lab.DenseTask(noise=0.0)):
        run = lab.Setting(steps=32).run(lab.correlated().model, task, stepper)
        assert float(run.observation.residual(run.x).abs().max()) < 5 * 0.002
