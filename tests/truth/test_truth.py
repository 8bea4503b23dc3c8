"""Metrics of truth: exact samples are at the floor, and each fault is seen by its metric."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import scipy.stats
import torch
from torch import Tensor

from bench.api import BenchError, Role, SampleMetric, UnsupportedError
from bench.run.measurements import check_measurements
from bench.testing.plugins import model_of
from bench_plugins.tasks import Inpainting, PhaseRetrieval
from bench_plugins.truth import (
    Calibration,
    ClassifierTest,
    DataMisfit,
    Diversity,
    MmseGap,
    PosteriorMoments,
    PosteriorWasserstein,
    ScoreStein,
)

Make = Callable[..., Any]
CPU = torch.device("cpu")

METRICS: list[SampleMetric] = [
    PosteriorWasserstein(),
    ClassifierTest(),
    PosteriorMoments(),
    Calibration(),
    MmseGap(),
    ScoreStein(),
    DataMisfit(),
    Diversity(),
]
EACH = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def _narrow(laboratory: Any) -> Tensor:
    """Half the standard deviation around the posterior mean."""
    narrow: Tensor = laboratory.means + 0.5 * (laboratory.exact - laboratory.means)
    return narrow


def _shifted(laboratory: Any, by: float = 0.3) -> Tensor:
    shifted: Tensor = laboratory.exact + by
    return shifted


@EACH
def test_batches_change_nothing(metric: SampleMetric, small: Any) -> None:
    whole = small.measure(metric, small.exact)
    for batches in ((1, 27), (10, 10, 8), (4,) * 7):
        assert small.measure(metric, small.exact, batches) == whole


@EACH
def test_measurements_keep_the_contract(metric: SampleMetric, small: Any) -> None:
    found = list(small.measure(metric, small.exact).values())
    checked = check_measurements(metric.name, found)
    assert all(math.isfinite(number.value) for number in checked)
    for number in found:
        assert number.n == 7
        if number.evidence is not None:
            assert float(number.evidence.mean()) == pytest.approx(number.value)
            expected = float(number.evidence.std()) / math.sqrt(7)
            assert number.std_error == pytest.approx(expected)


@EACH
def test_a_broken_sample_is_named(metric: SampleMetric, small: Any) -> None:
    x = small.exact.clone()
    x[3, 1], x[5, 0] = math.nan, math.inf
    with pytest.raises(BenchError, match=f"{metric.name}: 2 of 28 samples are not finite"):
        small.measure(metric, x)


@EACH
def test_samples_without_an_observation_are_refused(metric: SampleMetric, small: Any) -> None:
    trial = small.trial
    with pytest.raises(UnsupportedError, match="give the suite a task"):
        metric.start(replace(trial, questions=None))


# -- sliced Wasserstein


def _swd(laboratory: Any, x: Tensor) -> tuple[float, float]:
    found = laboratory.measure(PosteriorWasserstein(), x)
    return found["posterior_swd"].value, found["posterior_swd_floor"].value


def test_exact_samples_are_at_the_floor_of_wasserstein(laboratory: Any) -> None:
    value, floor = _swd(laboratory, laboratory.exact)
    assert value == pytest.approx(floor, rel=0.1)


@pytest.mark.parametrize("fault", ["shifted", "narrow", "one_mode", "prior"])
def test_wasserstein_sees_each_fault(laboratory: Any, fault: str) -> None:
    faults = {
        "shifted": lambda: _shifted(laboratory),
        "narrow": lambda: _narrow(laboratory),
        "one_mode": laboratory.one_mode,
        "prior": laboratory.prior,
    }
    value, floor = _swd(laboratory, faults[fault]())
    assert value > 1.4 * floor


def test_wasserstein_is_scipys(small: Any) -> None:
    """In one dimension, by hand: one direction, and the exact samples that the metric draws."""
    from bench_plugins.truth.swd import _wasserstein

    generator = torch.Generator().manual_seed(0)
    for n, m in ((5, 40), (7, 7), (40, 3)):
        x = torch.randn(n, 3, generator=generator, dtype=torch.float64)
        y = torch.randn(m, 3, generator=generator, dtype=torch.float64) + 0.3
        expected = [scipy.stats.wasserstein_distance(x[:, j], y[:, j]) for j in range(3)]
        assert float(_wasserstein(x, y)) == pytest.approx(sum(expected) / 3, rel=1e-9)


# -- classifier


def _c2st(laboratory: Any, x: Tensor) -> tuple[float, float]:
    found = laboratory.measure(ClassifierTest(), x)["c2st"]
    assert found.std_error is not None
    return found.value, found.std_error


@pytest.mark.parametrize("seed", range(5))
def test_exact_samples_are_not_told_apart(make_laboratory: Make, seed: int) -> None:
    """0.5 within 3 standard errors in each of five independent tests (p < 0.003 each)."""
    value, error = _c2st(*(lambda one: (one, one.exact))(make_laboratory(seed=seed)))
    assert 0.005 < error < 0.03
    assert abs(value - 0.5) < 3 * error


def test_the_error_of_the_classifier_test_is_that_over_sets(make_laboratory: Make) -> None:
    """The deviations of twelve sets of observations, in standard errors, are as of N(0, 1)."""
    scores = []
    for seed in range(12):
        one = make_laboratory(samples=512, seed=100 + seed)
        value, error = _c2st(one, one.exact)
        scores.append((value - 0.5) / error)
    square = sum(score**2 for score in scores)
    assert scipy.stats.chi2.cdf(square, 12) == pytest.approx(0.5, abs=0.4995)


@pytest.mark.parametrize("fault", ["shifted", "narrow", "one_mode", "prior"])
def test_the_classifier_sees_each_fault(laboratory: Any, fault: str) -> None:
    faults = {
        "shifted": lambda: _shifted(laboratory),
        "narrow": lambda: _narrow(laboratory),
        "one_mode": laboratory.one_mode,
        "prior": laboratory.prior,
    }
    value, error = _c2st(laboratory, faults[fault]())
    assert value > 0.5 + 5 * error


def test_far_samples_are_told_apart_for_certain(laboratory: Any) -> None:
    value, _ = _c2st(laboratory, laboratory.exact + 30)
    assert value > 0.99


def test_one_question_is_no_test(make_laboratory: Make) -> None:
    one = make_laboratory(draws=16, samples=16)
    with pytest.raises(UnsupportedError, match="there is one"):
        one.measure(ClassifierTest(), one.exact)


def test_logistic_regression_is_scikit_learns() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    from bench_plugins.truth.logistic import fit_logistic

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 4, generator=generator, dtype=torch.float64)
    labels = (x[:, 0] - x[:, 1] + torch.randn(300, generator=generator).double() > 0).double()
    z = (x - x.mean(0)) / x.std(0)
    theirs = linear_model.LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=1000)
    theirs.fit(z.numpy(), labels.numpy())
    expected = torch.from_numpy(theirs.decision_function(z.numpy()))
    torch.testing.assert_close(fit_logistic(x, labels, 2.0)(x), expected, rtol=1e-4, atol=1e-4)


# -- moments

MOMENTS = ("mode_weights_error", "posterior_mean_error", "posterior_cov_error")


@pytest.mark.parametrize("name", MOMENTS)
def test_exact_moments_are_at_the_floor(laboratory: Any, name: str) -> None:
    found = laboratory.measure(PosteriorMoments(), laboratory.exact)
    assert found[name].value == pytest.approx(found[f"{name}_floor"].value, rel=0.15)
    assert found[name].role is Role.ERROR


@pytest.mark.parametrize(
    ("name", "fault", "unseen"),
    [
        ("mode_weights_error", "one_mode", ()),
        ("posterior_mean_error", "shifted", ("posterior_cov_error",)),
        ("posterior_cov_error", "narrow", ("posterior_mean_error",)),
    ],
)
def test_each_moment_sees_its_fault(
    laboratory: Any, name: str, fault: str, unseen: tuple[str, ...]
) -> None:
    faults = {
        "shifted": lambda: _shifted(laboratory, 0.5),
        "narrow": lambda: _narrow(laboratory),
        "one_mode": laboratory.one_mode,
    }
    found = laboratory.measure(PosteriorMoments(), faults[fault]())
    assert found[name].value > 1.3 * found[f"{name}_floor"].value
    for other in unseen:
        assert found[other].value < 1.1 * found[f"{other}_floor"].value


def test_moments_of_very_many_samples_are_the_exact_ones(make_laboratory: Make) -> None:
    """Errors fall as the root of the number of draws: no bias is left."""
    found = {}
    for draws in (32, 512):
        one = make_laboratory(draws=draws, samples=32 * draws)
        found[draws] = one.measure(PosteriorMoments(), one.exact)
    for name in MOMENTS:
        ratio = found[32][name].value / found[512][name].value
        assert 2.5 < ratio < 6.5  # 4 in the mean


# -- calibration


def test_the_truth_is_uniform_among_exact_samples(make_laboratory: Make) -> None:
    """Chi-square test of the ranks along one direction, p > 0.001; coverage within 3.5 errors."""
    from bench_plugins.truth.answers import _answers, directions
    from bench_plugins.truth.calibration import ranks

    one = make_laboratory(draws=9, samples=9 * 1000)
    found = one.measure(Calibration(), one.exact)
    for name, share in (("coverage_50", 0.5), ("coverage_90", 0.9)):
        number = found[name]
        assert found[f"{name}_exact"].value == share
        assert abs(number.value - share) < 3.5 * number.std_error
    rank = ranks(_answers("sbc", one.trial, one.exact), directions(4, 4))
    for column in rank.T:
        counts = torch.bincount(column.long(), minlength=10)
        assert scipy.stats.chisquare(counts.numpy()).pvalue > 0.001
    assert found["sbc_ks"].value < 1.5 * found["sbc_ks_floor"].value


@pytest.mark.parametrize(("width", "below"), [(0.5, True), (2.0, False)])
def test_coverage_sees_the_width(laboratory: Any, width: float, below: bool) -> None:
    x = laboratory.means + width * (laboratory.exact - laboratory.means)
    found = laboratory.measure(Calibration(), x)
    for name, share in (("coverage_50", 0.5), ("coverage_90", 0.9)):
        score = (found[name].value - share) / found[name].std_error
        assert score < -3 if below else score > 3


def test_ranks_see_a_shift(laboratory: Any) -> None:
    found = laboratory.measure(Calibration(), _shifted(laboratory, 0.5))
    assert found["sbc_ks"].value > 1.5 * found["sbc_ks_floor"].value


def test_equal_samples_have_no_coverage(laboratory: Any) -> None:
    """All ranks are 0 or 16, and stand for probabilities up to 1/17, of which 0.05 lie outside."""
    found = laboratory.measure(Calibration(), laboratory.means)
    assert found["coverage_50"].value == 0
    assert found["coverage_90"].value == pytest.approx(1 - 0.05 * 17)


# -- posterior mean


def test_the_mmse_gap_of_exact_samples_is_zero(make_laboratory: Make) -> None:
    one = make_laboratory(samples=4096)
    found = one.measure(MmseGap(), one.exact)
    gap = found["mmse_gap"]
    assert abs(gap.value) < 3.5 * gap.std_error
    assert found["mean_mse"].value == pytest.approx(
        found["mean_mse_exact"].value, abs=4 * found["mean_mse"].std_error
    )


def test_the_mmse_gap_of_a_shift_is_its_square(laboratory: Any) -> None:
    gap = laboratory.measure(MmseGap(), _shifted(laboratory, 0.4))["mmse_gap"]
    assert gap.value == pytest.approx(0.16, abs=4 * gap.std_error)


def test_the_mmse_is_the_mean_posterior_variance(make_laboratory: Make) -> None:
    one = make_laboratory(draws=2, samples=4000)
    found = one.measure(MmseGap(), one.exact)["mean_mse_exact"].value
    mixture = one.posterior.mixture
    weights, means = mixture.log_weights.exp(), one.means
    variance = (mixture.values.sum(1) * weights).sum(1)
    variance = variance + (weights * (mixture.means - means[:, None]).square().sum(2)).sum(1)
    assert found == pytest.approx(float(variance.mean()) / 4, rel=0.06)


# -- kernel Stein discrepancy


def _ksd(laboratory: Any, x: Tensor) -> tuple[float, float]:
    found = laboratory.measure(ScoreStein(s=0.002), x)["score_ksd"]
    assert found.nfe == 1
    return found.value, found.std_error


@pytest.mark.parametrize("seed", range(3))
def test_the_stein_discrepancy_of_exact_samples_is_zero(make_laboratory: Make, seed: int) -> None:
    one = make_laboratory(samples=2048, seed=seed)
    value, error = _ksd(one, one.exact)
    assert abs(value) < 3.5 * error


@pytest.mark.parametrize("fault", ["shifted", "narrow", "prior"])
def test_the_stein_discrepancy_sees_faults_of_scale_and_place(laboratory: Any, fault: str) -> None:
    faults = {
        "shifted": lambda: _shifted(laboratory, 0.2),
        "narrow": lambda: _narrow(laboratory),
        "prior": laboratory.prior,
    }
    value, error = _ksd(laboratory, faults[fault]())
    assert value > 4 * error


def test_the_stein_kernel_is_that_of_derivatives_by_autograd() -> None:
    """u(x, x') = s s' k + s grad' k + s' grad k + tr grad grad' k, pair by pair."""
    from bench_plugins.truth.ksd import stein_discrepancy

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    score = torch.randn(5, 3, generator=generator, dtype=torch.float64)

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (0.7**2 + (a - b).square().sum()) ** -0.5

    total = 0.0
    for i in range(5):
        for j in range(5):
            if i == j:
                continue
            left: Any = torch.func.grad(kernel, argnums=0)
            right: Any = torch.func.grad(kernel, argnums=1)
            mixed = torch.func.jacrev(left, argnums=1)(x[i], x[j])
            u = score[i] @ score[j] * kernel(x[i], x[j]) + score[i] @ right(x[i], x[j])
            total += float(u + score[j] @ left(x[i], x[j]) + mixed.trace())
    assert float(stein_discrepancy(x, score, 0.7)) == pytest.approx(total / 20, rel=1e-9)


def test_the_stein_score_is_that_of_the_posterior(small: Any) -> None:
    from bench_plugins.truth.answers import _answers

    answers = _answers("score_ksd", small.trial, small.exact)
    found, _ = ScoreStein(s=0.002)._score(answers)
    mixture = small.posterior.mixture
    x = small.exact.clone().requires_grad_(True)
    z = torch.einsum("nkd,kde->nke", x[:, None] - mixture.means, mixture.vectors)
    log = mixture.log_weights - 0.5 * (z.square() / mixture.values + mixture.values.log()).sum(-1)
    (expected,) = torch.autograd.grad(log.logsumexp(1).sum(), x)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


# -- misfit and diversity


def test_the_misfit_of_exact_samples_is_one(make_laboratory: Make) -> None:
    one = make_laboratory(samples=4096)
    found = one.measure(DataMisfit(), one.exact)
    assert abs(found["data_misfit"].value - 1) < 3.5 * found["data_misfit"].std_error
    assert found["data_misfit_exact"].value == 1


def test_the_misfit_of_a_shift_is_known(laboratory: Any) -> None:
    """The mean over m = 2 entries grows by (0.3 / 0.1)^2 and a mixed term of mean 0."""
    found = laboratory.measure(DataMisfit(), _shifted(laboratory))["data_misfit"]
    assert found.value == pytest.approx(10, rel=0.15)


def test_without_noise_there_is_a_residual(make_trial: Make) -> None:
    from bench.api import Batch

    model = model_of("gaussian_mixture").load(CPU, torch.float64)
    trial = make_trial(model, Inpainting(noise=0.0, draws=4), 8)
    accumulator = DataMisfit().start(trial)
    truth = trial.questions.of_samples(0, 0, 8).truth
    accumulator.add(Batch(0, truth + 0.25))
    (number,) = accumulator.result()
    assert number.metric == "data_residual"
    assert number.value == pytest.approx(0.25)
    for metric in (ScoreStein(), PosteriorMoments()):
        with pytest.raises(UnsupportedError, match="without noise"):
            metric.start(trial)


def test_the_diversity_of_exact_samples_is_theirs(laboratory: Any) -> None:
    found = laboratory.measure(Diversity(), laboratory.exact)
    value, exact = found["diversity"], found["diversity_exact"]
    assert value.value == pytest.approx(exact.value, rel=0.05)
    half = laboratory.measure(Diversity(), _narrow(laboratory))["diversity"].value
    assert half == pytest.approx(0.5 * value.value, rel=1e-9)


def test_diversity_is_half_the_squared_distance_of_pairs(small: Any) -> None:
    found = small.measure(Diversity(), small.exact)["diversity"].value
    roots = []
    for rows in small.exact.split(4):
        square = torch.cdist(rows, rows).square().sum() / (4 * 3)
        roots.append(math.sqrt(float(square) / 2 / 4))
    assert found == pytest.approx(sum(roots) / 7, rel=1e-9)


# -- refusals

EXACT = [PosteriorWasserstein(), ClassifierTest(), PosteriorMoments()]


@pytest.mark.parametrize("metric", EXACT, ids=lambda metric: metric.name)
def test_a_posterior_that_is_unknown_is_refused(metric: SampleMetric, make_trial: Make) -> None:
    model = model_of("gaussian_mixture").load(CPU, torch.float64)
    with pytest.raises(UnsupportedError, match="a Gaussian mixture and a linear task"):
        metric.start(make_trial(model, PhaseRetrieval(), 32))
    digits = model_of("digits_mlp").load(CPU, torch.float32)
    with pytest.raises(UnsupportedError, match="a Gaussian mixture and a linear task"):
        metric.start(make_trial(digits, Inpainting(), 32))


@pytest.mark.parametrize(
    "metric",
    [PosteriorWasserstein(), Calibration(), MmseGap(), ScoreStein(), Diversity()],
    ids=lambda metric: metric.name,
)
def test_one_sample_of_a_question_is_refused(metric: SampleMetric, make_laboratory: Make) -> None:
    one = make_laboratory(draws=1, samples=8)
    with pytest.raises(UnsupportedError, match="at least 2 samples of each question"):
        one.measure(metric, one.exact)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (PosteriorWasserstein, {"directions": 0}),
        (PosteriorWasserstein, {"repeats": 0}),
        (ClassifierTest, {"folds": 1}),
        (ClassifierTest, {"coordinates": 0}),
        (ClassifierTest, {"penalty": 0.0}),
        (Calibration, {"directions": 0}),
        (ScoreStein, {"s": 0.0}),
        (ScoreStein, {"width": 0.0}),
    ],
)
def test_bad_parameters_are_refused(kind: Any, parameters: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        kind(**parameters)
