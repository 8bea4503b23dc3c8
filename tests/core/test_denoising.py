"""Options of the host: an analytical first step, clipping and thresholding of D."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from torch import Tensor

from bench.api import (
    BenchError,
    CountedDenoiser,
    Denoising,
    Draw,
    Sampler,
    Trial,
    UnsupportedError,
    generate,
    guide,
)
from bench.registry import Kind, build, load_registry
from bench.testing.plugins import grid_of, model_of, process_of, stepper_of
from bench.testing.posed import Posed, posed_model

PROCESS = process_of("vp")
S_MIN, S_MAX = 0.01, 50.0
AFS = Denoising(afs=True)
SHAPE = (3, 4, 4)


def _times(steps: int, process: Any = PROCESS) -> Any:
    return grid_of("karras").times(process, steps, S_MIN, S_MAX)


@dataclass
class _Levels:
    """A denoiser of unit Gaussian data that keeps the levels at which it was asked."""

    seen: list[float]

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        self.seen.extend(s.expand(len(y)).tolist())
        return 3 * y / (1 + s.reshape(-1, *(1,) * (y.ndim - 1)) ** 2)


def _run(sampler: Sampler, steps: int, model: Any, batch: int = 64, samples: int = 5) -> Tensor:
    draw = Draw(0, samples, batch, SHAPE, torch.float64)
    counted = model if isinstance(model, CountedDenoiser) else CountedDenoiser(model)
    times = _times(steps)
    with torch.no_grad():
        return torch.cat([b.x for b in generate(PROCESS, counted, sampler, times, draw)])


@pytest.mark.parametrize("kind", ["vp", "edm", "rectified_flow"])
def test_the_first_step_is_that_of_noise_alone(kind: str) -> None:
    """y' = y + (s' - s) y / (1 + s^2)^(1/2), in every process."""
    chosen, seen = process_of(kind), _Levels([])
    times = _times(1, chosen)
    sampler = Sampler(stepper_of("ddim"), finish=False, denoising=AFS)
    draw = Draw(0, 5, 5, SHAPE, torch.float64)
    counted = CountedDenoiser(seen)
    (batch,) = generate(chosen, counted, sampler, times, draw)
    y = draw.prior(times[0], 0, 5) / times[0].alpha
    expected = y + (times[1].s - times[0].s) * y / (1 + times[0].s ** 2) ** 0.5
    assert seen.seen == []
    torch.testing.assert_close(batch.x / times[1].alpha, expected, rtol=1e-9, atol=1e-12)


def test_single_precision_loses_no_digits_at_high_noise() -> None:
    y = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0)) * 80
    model = AFS.of(_Levels([]), 80.0)
    d = model(y, torch.tensor(80.0))
    exact = model(y.double(), torch.tensor(80.0, dtype=torch.float64))
    torch.testing.assert_close(d.double(), exact, rtol=1e-6, atol=0)


STEPPERS = [
    *("ddim", "edm_heun", "edm_churn", "euler", "rk4", "dpm_solver_2", "dpmpp_2s", "unipc"),
    *("ipndm", "deis_tab", "ancestral", "euler_maruyama", "sa_solver", "seeds_2", "res_2s"),
]


@pytest.mark.parametrize("name", STEPPERS)
def test_budgets_pay_for_what_is_evaluated(name: str) -> None:
    """Measured = declared on the grid, within the budget, and a step more where one is saved."""
    plain = Sampler(stepper_of(name))
    sampler = replace(plain, denoising=AFS)
    for budget in (6, 7, 13):
        levels = _Levels([])
        steps = sampler.steps_for(budget)
        assert steps >= plain.steps_for(budget)
        _run(sampler, steps, levels)
        assert len(levels.seen) == 5 * sampler.cost_on(PROCESS, _times(steps))
        assert len(levels.seen) <= 5 * budget
        assert max(levels.seen) < S_MAX


def test_one_step_without_an_evaluation_needs_no_budget_but_the_final_one() -> None:
    sampler = Sampler(stepper_of("ddim"), denoising=AFS)
    assert (sampler.steps_for(1), sampler.cost(1)) == (1, 1)
    bare = Sampler(stepper_of("ddim"), finish=False, denoising=AFS)
    assert bare.steps_for(4) == 5


@pytest.mark.parametrize("name", ["dpm_adaptive_23", "dopri5"])
def test_methods_with_steps_of_their_own_save_it_too(name: str) -> None:
    levels = _Levels([])
    times = (PROCESS.at_s(S_MAX), PROCESS.at_s(S_MIN))
    counted, draw = CountedDenoiser(levels), Draw(0, 3, 3, SHAPE, torch.float64)
    list(generate(PROCESS, counted, Sampler(stepper_of(name), denoising=AFS), times, draw))
    assert levels.seen
    assert max(levels.seen) < S_MAX


def test_levels_of_single_samples_are_told_apart() -> None:
    y = torch.ones(3, 1, dtype=torch.float64)
    s = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    model = AFS.of(lambda y, s: torch.full_like(y, 7.0), 2.0)
    found = model(y, s)[:, 0]
    assert found[0] == found[2] == 7
    assert abs(float(found[1]) - (1 - 2 / 5**0.5)) < 1e-15


def test_clipping_is_that_of_the_definition() -> None:
    d = torch.linspace(-3, 3, 7)[:, None]
    assert Denoising(clip=2.0).limit(d)[:, 0].tolist() == [-2, -2, -1, 0, 1, 2, 2]


@pytest.mark.parametrize("share", [0.5, 0.995, 1.0])
def test_thresholding_is_that_of_diffusers(share: float) -> None:
    d = torch.randn(6, *SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    d *= torch.tensor([0.1, 0.5, 1.0, 1.5, 2.0, 5.0])[:, None, None, None]
    peer = DPMSolverMultistepScheduler(
        thresholding=True, dynamic_thresholding_ratio=share, sample_max_value=1e6
    )
    torch.testing.assert_close(Denoising(threshold=share).limit(d), peer._threshold_sample(d))


def test_a_batch_beyond_what_torch_takes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    d = torch.randn(7, *SHAPE, generator=torch.Generator().manual_seed(2))
    whole = Denoising(threshold=0.9).limit(d)
    monkeypatch.setattr("bench.core.denoising.QUANTILE_ENTRIES", 100)
    assert torch.equal(Denoising(threshold=0.9).limit(d), whole)


@pytest.mark.parametrize("denoising", [AFS, Denoising(clip=0.5), Denoising(True, None, 0.9)])
def test_batches_do_not_matter(denoising: Denoising) -> None:
    sampler = Sampler(stepper_of("ancestral"), denoising=denoising)
    whole = _run(sampler, 5, _Levels([]), 128, 70)
    assert torch.equal(whole, _run(sampler, 5, _Levels([]), 64, 70))


def test_samples_end_within_the_bounds() -> None:
    for name in ("ddim", "edm_heun", "ancestral"):
        x = _run(Sampler(stepper_of(name), denoising=Denoising(clip=0.5)), 6, _Levels([]))
        assert float(x.abs().max()) <= 0.5
        x = _run(Sampler(stepper_of(name), denoising=Denoising(threshold=0.9)), 6, _Levels([]))
        assert float(x.abs().max()) <= 1


def test_guided_d_is_limited_and_costs_nothing_at_the_start() -> None:
    """Of classifier-free guidance: the passes of all levels but the first, and D after it."""
    guidance: Any = build(load_registry().get("cfg", Kind.GUIDANCE).cls, {"scale": 5.0})
    model = guide(posed_model(), guidance, Posed(), torch.float64)
    draw = Draw(0, 6, 6, model.shape, torch.float64)
    for denoising, cost in ((Denoising(clip=0.3), 14), (Denoising(True, 0.3), 12)):
        counted = CountedDenoiser(model.denoiser)
        sampler = Sampler(stepper_of("ddim"), price=model.price, denoising=denoising)
        assert sampler.cost_on(PROCESS, _times(6)) == cost
        (batch,) = generate(PROCESS, counted, sampler, _times(6), draw)
        assert counted.evaluations.nfe(6) == cost
        assert counted.evaluations.depth(6) == cost / 2
        assert float(batch.x.abs().max()) <= 0.3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"clip": 0.0}, "clip must be > 0"),
        ({"threshold": 0.0}, "threshold must be a share"),
        ({"threshold": 1.1}, "threshold must be a share"),
        ({"clip": 1.0, "threshold": 0.9}, "exclude each other"),
    ],
)
def test_what_means_nothing_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Denoising(**values)


def test_metrics_of_the_network_itself_refuse_it() -> None:
    model = model_of("gaussian_mixture").load(torch.device("cpu"), torch.float64)
    draw = Draw(0, 4, 4, model.shape, torch.float64)
    sampler = Sampler(stepper_of("ddim"), denoising=AFS)
    trial = Trial(model, PROCESS, sampler, _times(4), draw)
    with pytest.raises(UnsupportedError, match=r"drop `denoising` \(afs\)"):
        trial.ode_solver("nll_nats", "integrates the ODE")


def test_a_budget_of_nothing_is_no_step() -> None:
    with pytest.raises(BenchError, match="one step costs"):
        Sampler(stepper_of("rk4"), denoising=AFS).steps_for(2)
