"""rmse and likelihoods against independent integrations and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from bench.api import (
    CountedDenoiser,
    Draw,
    Measurement,
    Model,
    Sampler,
    Trial,
    UnsupportedError,
    generate,
)
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.edm.grid import Karras
from bench_plugins.edm.process import EDM
from bench_plugins.metrics.nll_bpd import NllBpd
from bench_plugins.metrics.nll_nats import NllNats
from bench_plugins.metrics.rmse import Rmse
from bench_plugins.models.empirical import Empirical
from bench_plugins.models.mixture import GaussianMixture
from bench_plugins.odes.rk4 import RK4
from bench_plugins.odes.tsit5 import Tsit5
from bench_plugins.score_sde.predictors import Ancestral


def _trial(model: Model, stepper: object, steps: int, s_min: float = 0.002) -> Trial:
    loaded = model.load(torch.device("cpu"), torch.float64)
    process = EDM()
    times = Karras().times(process, steps, s_min, 80.0)
    draw = Draw(3, 32, 32, loaded.shape, torch.float64)
    return Trial(loaded, process, Sampler(stepper), times, draw)  # type: ignore[arg-type]


def _roles(found: dict[str, Measurement]) -> dict[str, tuple[str, str]]:
    return {name: (number.role.value, number.belongs_to) for name, number in found.items()}


def _numbers(numbers: object) -> dict[str, Measurement]:
    return {number.metric: number for number in numbers}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def solved() -> tuple[Trial, torch.Tensor, dict[str, Measurement]]:
    """DDIM on a mixture: the trial, its samples, and what rmse says of them."""
    trial = _trial(GaussianMixture(), DDIM(), 12)
    accumulator = Rmse(reference_steps=256).start(trial)
    counted = CountedDenoiser(trial.model.denoiser)
    x = []
    for batch in generate(trial.process, counted, trial.sampler, trial.times, trial.draw):
        accumulator.add(batch)
        x.append(batch.x)
    return trial, torch.cat(x), _numbers(accumulator.result())


def test_rmse_equals_that_to_scipys_solution(
    solved: tuple[Trial, torch.Tensor, dict[str, Measurement]],
) -> None:
    trial, x, found = solved
    start = trial.draw.standard_prior(0, 32).numpy() * 80.0

    def slope(log_s: float, flat: np.ndarray) -> np.ndarray:
        y = torch.from_numpy(flat.reshape(32, 2))
        s = torch.tensor(math.exp(log_s), dtype=torch.float64)
        return (y - trial.model.denoiser(y, s)).numpy().ravel()

    span = (math.log(80.0), math.log(0.002))
    path = solve_ivp(slope, span, start.ravel(), "DOP853", rtol=1e-10, atol=1e-12)
    end = torch.from_numpy(path.y[:, -1].reshape(32, 2))
    truth = trial.model.denoiser(end, torch.tensor(0.002, dtype=torch.float64))
    squares = (x - truth).square().mean(1)
    rmse = math.sqrt(float(squares.mean()))
    assert rmse > 0.01
    assert found["rmse"].value == pytest.approx(rmse, rel=1e-3)
    assert found["rmse"].std_error == pytest.approx(
        float(squares.std()) / math.sqrt(32) / (2 * rmse), rel=1e-2
    )
    assert found["rmse_reference"].value < 1e-2 * rmse
    assert _roles(found) == {"rmse": ("error", ""), "rmse_reference": ("reference", "rmse")}


def test_rmses_reference_takes_its_steps_and_knows_its_own_error() -> None:
    """Samples without an error of their own are as far from the reference as it says it errs."""
    model = GaussianMixture(means=((0.5, -1.0),), stds=(0.7,), weights=None)
    trial = _trial(model, Tsit5(rtol=1e-12), 1)
    batches = generate(
        trial.process,
        CountedDenoiser(trial.model.denoiser),
        trial.sampler,
        trial.times,
        trial.draw,
    )
    samples, counted = list(batches), CountedDenoiser(trial.model.denoiser)
    watched = replace(trial, model=replace(trial.model, denoiser=counted))
    accumulator = Rmse(reference_steps=48).start(watched)
    # Four evaluations a step, of the whole number and of half of it, and two final denoises.
    assert counted.evaluations.nfe(32) == 4 * (48 + 24) + 2
    for batch in samples:
        accumulator.add(batch)
    found = _numbers(accumulator.result())
    assert found["rmse_reference"].value == pytest.approx(found["rmse"].value, rel=0.2)


@pytest.mark.parametrize("metric", [Rmse(), NllNats(), NllBpd()])
def test_stochastic_samplers_are_unsupported(metric: object) -> None:
    trial = _trial(GaussianMixture(), Ancestral(), 4)
    with pytest.raises(UnsupportedError):
        metric.start(trial) if isinstance(metric, Rmse) else metric.measure(trial)  # type: ignore[attr-defined]


def test_nll_in_nats_converges_to_the_closed_form() -> None:
    # Centred: the prior N(0, s_max^2 I) leaves out the mean, which costs |mean| / s_max.
    model = GaussianMixture(means=((-1.0, 0.3), (1.0, -0.3)), stds=(0.2, 0.2), weights=None)
    coarse, fine = (
        _numbers(NllNats(points=64).measure(_trial(model, RK4(), steps))) for steps in (16, 192)
    )
    assert fine["nll_error_nats"].value < 1e-3 < coarse["nll_error_nats"].value
    assert fine["nll_nats"].value == pytest.approx(fine["nll_exact_nats"].value, abs=1e-3)
    assert fine["nll_nats"].nfe == 192 * 4
    assert coarse["nll_exact_nats"] == fine["nll_exact_nats"]
    assert _roles(fine) == {
        "nll_nats": ("diagnostic", ""),
        "nll_error_nats": ("error", "nll_nats"),
        "nll_exact_nats": ("exact", "nll_nats"),
    }


def test_bits_per_dimension_of_a_data_set_in_closed_form() -> None:
    model = Empirical(data="digits", levels=17, points=50)
    trial = _trial(model, RK4(), 24, s_min=0.3)
    metric = NllBpd(images=6, probes=0, reference_steps=24)
    found = _numbers(metric.measure(trial))
    target = trial.model.target
    assert target.exact is not None
    assert target.discrete is not None
    data = target.discrete.held_out()[:6]
    from bench.api import NoiseStream

    noise = NoiseStream(3, "dequantise", 0, 6, trial.model.shape, torch.float64)
    y = (data.double() + noise.uniform()) * (2 / 17) - 1  # by hand, as the contract has it
    bits = -target.exact.log_prob(y, 0.3) / (64 * math.log(2)) + math.log2(17 / 2)
    expected = float(bits.mean())
    assert found["nll_bpd_converged"].value == pytest.approx(expected, abs=1e-2)
    assert found["nll_bpd"].value == pytest.approx(expected, abs=1e-2)
    assert found["nll_bpd_error"].value < 1e-2
    assert found["nll_bpd"].n == 6
    assert found["nll_bpd"].vjp == 64 * found["nll_bpd"].nfe


def test_the_error_of_a_coarse_solver_stands_beside_its_figure() -> None:
    model = Empirical(data="digits", levels=17, points=50)
    trial = _trial(model, DDIM(), 8, s_min=0.3)
    metric = NllBpd(images=6, probes=1, reference_steps=64)
    found = _numbers(metric.measure(trial))
    assert found["nll_bpd_error"].value > 0.02
    assert [found[name].ranked for name in found] == [False, True, False, False]
    assert _roles(found) == {
        "nll_bpd": ("diagnostic", ""),
        "nll_bpd_error": ("error", "nll_bpd"),
        "nll_bpd_converged": ("exact", "nll_bpd"),
        "nll_bpd_error_reference": ("reference", "nll_bpd_error"),
    }
    again = _numbers(metric.measure(replace(trial)))
    assert again == found


def test_the_error_of_the_converged_likelihood_is_known() -> None:
    """Richardson's estimate is of the size of the true difference to many more steps."""
    trial = _trial(Empirical(data="digits", levels=17, points=50), DDIM(), 4, s_min=0.3)
    rough, finer, exact = (
        _numbers(NllBpd(images=6, reference_steps=steps).measure(trial)) for steps in (8, 24, 192)
    )
    truth = exact["nll_bpd_converged"].value
    for found in (rough, finer):
        gap = abs(found["nll_bpd_converged"].value - truth)
        assert gap < 10 * found["nll_bpd_error_reference"].value
    assert finer["nll_bpd_error_reference"].value < rough["nll_bpd_error_reference"].value / 3
