"""Statistics of latent codes against scipy's, the evidence behind them, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from torch import Tensor

import bench_plugins.models
from bench.api import (
    BenchError,
    Conditional,
    CountedDenoiser,
    Draw,
    Measurement,
    Model,
    ParameterError,
    Sampler,
    ScoreModel,
    SolverMetric,
    Target,
    Trial,
    UnsupportedError,
    make_plugin,
)
from bench.api import Metric as AnyMetric
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.ddim.discrete import Leading
from bench_plugins.edm.grid import Karras
from bench_plugins.edm.heun import EdmHeun
from bench_plugins.edm.process import EDM
from bench_plugins.latents.agreement import CodeAgreement
from bench_plugins.latents.gaussianity import CodeGaussianity
from bench_plugins.latents.normality import (
    KolmogorovSmirnov,
    Statistic,
    distance_to_normal,
    energy_distance,
    evaluate,
    influences,
    kurtosis_deviation,
    mean_deviation,
    variance_deviation,
)
from bench_plugins.latents.round_trip import RoundTrip
from bench_plugins.models.mixture import GaussianMixture
from bench_plugins.models.pretrained import DigitsMlp
from bench_plugins.score_sde.correctors import Langevin
from bench_plugins.score_sde.predictors import Ancestral
from bench_plugins.score_sde.processes import VP

CPU, F64 = torch.device("cpu"), torch.float64
METRICS = [RoundTrip(), CodeGaussianity(), CodeAgreement()]
WEIGHTS = Path(bench_plugins.models.__file__).parent / "data" / "digits_mlp_deep.safetensors"


def _trial(model: Model | ScoreModel, sampler: Sampler, steps: int) -> Trial:
    loaded = model if isinstance(model, ScoreModel) else model.load(CPU, F64)
    times = Karras().times(EDM(), steps, 0.002, 80.0)
    return Trial(loaded, EDM(), sampler, times, Draw(3, 32, 32, loaded.shape, F64))


def _numbers(metric: SolverMetric, trial: Trial) -> Mapping[str, Measurement]:
    with torch.no_grad():
        return {number.metric: number for number in metric.measure(trial)}


def _codes(n: int = 60, d: int = 3) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    z = torch.randn(n, d, generator=draws, dtype=F64)
    return z * torch.tensor([1.0, 1.3, 0.8], dtype=F64)[:d] + 0.1 * z**2


def _root_mean_square(values: Any) -> float:
    return math.sqrt(float(np.mean(np.square(values))))


def test_moments_are_scipys() -> None:
    z = _codes()
    array = z.numpy()
    assert evaluate(mean_deviation, z) == pytest.approx(_root_mean_square(array.mean(0)))
    variance = _root_mean_square(array.var(0, ddof=1) - 1)
    assert evaluate(variance_deviation, z) == pytest.approx(variance)
    kurtosis = _root_mean_square(scipy.stats.kurtosis(array, axis=0))
    assert evaluate(kurtosis_deviation, z) == pytest.approx(kurtosis)


def test_the_kolmogorov_smirnov_distance_is_scipys() -> None:
    z, directions = _codes(), torch.nn.functional.normalize(_codes(5), dim=1)
    each = [
        scipy.stats.ks_1samp(row, scipy.stats.norm.cdf).statistic
        for row in (z @ directions.mT).mT.numpy()
    ]
    assert evaluate(KolmogorovSmirnov(directions), z) == pytest.approx(np.mean(each))


def test_the_distance_to_a_normal_is_that_of_its_closed_form_and_of_a_quadrature() -> None:
    for d, square in [(1, 0.0), (1, 4.0), (2, 1.0), (16, 30.0), (784, 700.0), (3072, 6000.0)]:
        found = float(distance_to_normal(torch.tensor([square], dtype=F64), d))
        chi = scipy.stats.chi2(d) if square == 0 else scipy.stats.ncx2(d, square)
        assert found == pytest.approx(chi.expect(np.sqrt), rel=1e-9)
        if d <= 16:  # Szekely and Rizzo 2005, Eq. 2.5
            ratio = math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
            closed = math.sqrt(2) * ratio * scipy.special.hyp1f1(-0.5, d / 2, -square / 2)
            assert found == pytest.approx(closed, rel=1e-9)


def test_the_energy_distance_is_that_of_drawn_normals() -> None:
    z = _codes(40)
    x = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(1), dtype=F64)
    own = torch.cdist(z, z).sum() / (40 * 39)
    drawn = 2 * torch.cdist(z, x).mean() - torch.cdist(x[:5000], x[5000:10000]).mean() - own
    assert evaluate(energy_distance, z) == pytest.approx(float(drawn), abs=0.01)


@pytest.mark.parametrize(
    "statistic",
    [
        mean_deviation,
        variance_deviation,
        kurtosis_deviation,
        energy_distance,
        KolmogorovSmirnov(torch.eye(3, dtype=F64)),
    ],
)
def test_an_influence_is_what_a_code_moves(statistic: Statistic) -> None:
    z, h = _codes(), 1e-7
    found = influences(statistic, z)
    assert float(found.mean()) == pytest.approx(0, abs=1e-9)
    weights = torch.full((60,), 1 / 60, dtype=F64)
    for i in (0, 17, 59):
        heavier = weights.clone()
        heavier[i] += h
        slope = (float(statistic(z, heavier)) - float(statistic(z, weights))) / h
        assert float(found[i]) == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_true_gaussian_codes_are_at_the_floor_and_others_above() -> None:
    metric = CodeGaussianity(points=200, directions=16)
    gaussian = GaussianMixture(means=((0.0,) * 8,), stds=(1.0,), weights=None)
    true = _numbers(metric, _trial(gaussian, Sampler(EdmHeun()), 60))
    coarse = _numbers(metric, _trial(GaussianMixture(), Sampler(DDIM()), 3))
    for name in ("code_mean", "code_variance", "code_kurtosis", "code_ks", "code_energy"):
        floor = true[f"{name}_gaussian"]
        assert (floor.role.value, floor.belongs_to) == ("exact", name)
        assert floor.std_error is not None
        spread = floor.std_error * math.sqrt(metric.floors)  # of one set of codes
        assert abs(true[name].value - floor.value) < 4 * spread
        assert true[name].nfe == 120
    for name in ("code_variance", "code_ks", "code_energy"):
        number, floor = coarse[name], coarse[f"{name}_gaussian"]
        assert number.std_error is not None
        assert number.value > floor.value + 4 * number.std_error


def test_the_floor_is_the_mean_of_the_known_distribution() -> None:
    numbers = _numbers(
        CodeGaussianity(points=50, directions=32, floors=64),
        _trial(GaussianMixture(), Sampler(DDIM()), 3),
    )
    floor = numbers["code_ks_gaussian"]
    assert floor.std_error is not None
    assert floor.value == pytest.approx(scipy.stats.kstwo(50).mean(), abs=4 * floor.std_error)
    floor = numbers["code_energy_gaussian"]
    assert floor.std_error is not None
    assert floor.value == pytest.approx(0.0, abs=4 * floor.std_error)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_the_evidence_is_that_of_the_value(metric: SolverMetric) -> None:
    numbers = _numbers(metric, _trial(GaussianMixture(), Sampler(DDIM()), 6))
    judged = [number for number in numbers.values() if number.evidence is not None]
    assert judged
    for number in judged:
        assert number.evidence is not None
        assert len(number.evidence) == number.n
        assert float(number.evidence.mean()) == pytest.approx(number.value, abs=1e-9)
        spread = float(number.evidence.std()) / math.sqrt(number.n)
        assert number.std_error == pytest.approx(spread)


def test_every_evaluation_is_counted() -> None:
    trial = _trial(GaussianMixture(), Sampler(EdmHeun()), 5)
    watched = CountedDenoiser(trial.model.denoiser)
    model = ScoreModel(watched, trial.model.shape, 0.002, 80.0, "x", trial.model.target)
    trial = Trial(model, trial.process, trial.sampler, trial.times, trial.draw)
    code, data = RoundTrip(samples=100).measure(trial)
    assert code.nfe == data.nfe == 2 * 2 * 5
    assert watched.evaluations.rows == 100 * (code.nfe + data.nfe)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
@pytest.mark.parametrize("sampler", [Sampler(Ancestral()), Sampler(DDIM(), Langevin())])
def test_stochastic_samplers_have_no_codes(metric: SolverMetric, sampler: Sampler) -> None:
    with pytest.raises(UnsupportedError, match=f"{metric.name} needs an ODE solver: a stochastic"):
        metric.measure(_trial(GaussianMixture(), sampler, 4))


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_a_grid_that_leaves_out_a_part_has_no_codes(metric: SolverMetric) -> None:
    model = GaussianMixture().load(CPU, F64)
    times = Leading().times(VP(), 10, 0.002, 80.0)
    draw = Draw(3, 32, 32, model.shape, F64)
    trial = Trial(model, VP(), Sampler(DDIM()), times, draw, requested=(0.002, 80.0))
    with pytest.raises(UnsupportedError, match=r"needs a grid from s = 80 to 0\.002"):
        metric.measure(trial)


def _labelled(label: int | None) -> ScoreModel:
    """A conditional model: class c is N(c, 1) in two dimensions."""

    def denoise(y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
        mean = labels.to(y.dtype)[:, None]
        return mean + (y - mean) / (1 + s.reshape(-1, 1) ** 2)

    exact = GaussianMixture(means=((0.0, 0.0), (1.0, 1.0)), stds=(1.0, 1.0), weights=None)
    target = exact.load(CPU, F64).target
    return ScoreModel(Conditional(denoise, 2, label), (2,), 0.002, 80.0, "x", target)


def test_classes_of_their_own_go_with_codes_and_are_unknown_of_data() -> None:
    trial = _trial(_labelled(None), Sampler(EdmHeun()), 40)
    (code,) = RoundTrip().measure(trial)
    assert code.value < 1e-2
    assert "no round trip of data: the classes of the data are not known" in code.note
    for metric in (CodeGaussianity(), CodeAgreement()):
        with pytest.raises(UnsupportedError, match="set its parameter label"):
            metric.measure(trial)
    numbers = _numbers(RoundTrip(), _trial(_labelled(1), Sampler(EdmHeun()), 40))
    assert set(numbers) == {"round_trip_code", "round_trip_data"}


def test_a_model_without_data_has_round_trips_of_codes_alone() -> None:
    model = ScoreModel(lambda y, s: y / (1 + s**2), (2,), 0.002, 80.0, "x", Target("unit normal"))
    (code,) = RoundTrip().measure(_trial(model, Sampler(EdmHeun()), 40))
    assert "neither exact nor held-out data of 'unit normal'" in code.note
    with pytest.raises(UnsupportedError, match="neither exact nor held-out data"):
        CodeGaussianity().measure(_trial(model, Sampler(EdmHeun()), 4))


def test_two_networks_give_a_digit_nearly_one_code() -> None:
    """Song et al. 2021, Section 4.3: codes are identifiable, whatever the architecture."""
    trial = _trial(DigitsMlp(), Sampler(EdmHeun()), 15)
    numbers = _numbers(CodeAgreement(points=32, other="digits_mlp_deep", reference_steps=8), trial)
    assert numbers["code_correlation"].value > 0.85
    assert abs(numbers["code_correlation_shuffled"].value) < 0.15
    assert numbers["code_distance"].value < 0.5
    # Of independent codes the distance is near the root of two.
    assert numbers["code_distance_shuffled"].value == pytest.approx(math.sqrt(2), abs=0.2)
    assert (
        numbers["code_correlation"].reference
        == make_plugin(Model, "digits_mlp_deep", {}).load(CPU, F64).weights
    )  # type: ignore[type-abstract]


def test_a_network_agrees_with_itself_and_a_file_is_what_it_holds() -> None:
    trial = _trial(DigitsMlp(), Sampler(DDIM()), 4)
    own = _numbers(CodeAgreement(points=8, other="digits_mlp", reference_steps=2), trial)
    assert own["code_correlation"].value == pytest.approx(1.0)
    assert own["code_distance"].value == 0.0
    named = CodeAgreement(points=8, other="digits_mlp_deep", reference_steps=2)
    filed = CodeAgreement(points=8, other="trained", weights=str(WEIGHTS), reference_steps=2)
    for name, number in _numbers(named, trial).items():
        assert _numbers(filed, trial)[name] == number


def test_the_second_network_is_part_of_what_the_metric_is() -> None:
    assert CodeAgreement().fingerprint() == ""
    assert len(CodeAgreement(other="digits_mlp").fingerprint()) >= 16
    with pytest.raises(BenchError, match="unknown model 'digits_mpl'; did you mean 'digits_mlp'"):
        CodeAgreement(other="digits_mpl").fingerprint()


def test_other_data_and_other_levels_are_refused() -> None:
    trial = _trial(DigitsMlp(), Sampler(DDIM()), 2)
    with pytest.raises(UnsupportedError, match="'gaussian_mixture' is of gaussian_mixture"):
        CodeAgreement(points=2, other="gaussian_mixture").measure(trial)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weights": "a.safetensors"}, "weights are of a model that other names"),
        ({"reference_steps": 3}, "even and >= 2"),
        ({"points": 1}, "points must be >= 2"),
    ],
)
def test_parameters_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make_plugin(AnyMetric, "code_agreement", params)  # type: ignore[type-abstract]
