"""The mixture with classes: its denoisers, classifier and samples against each other."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import NO_CLASS, Conditional, ScoreModel, UnsupportedError
from bench.registry import ParameterError
from bench.testing import model_of
from bench_plugins.tasks.classes import Classes

CPU = torch.device("cpu")


def _model(**parameters: object) -> ScoreModel:
    return model_of("class_mixture", **parameters).load(CPU, torch.float64)


def _denoise(model: ScoreModel, y: Tensor, s: Tensor, label: int) -> Tensor:
    assert isinstance(model.denoiser, Conditional)
    return model.denoiser.network(y, s, torch.full((len(y),), label))


@pytest.mark.parametrize("s", [0.02, 0.3, 4.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_law_of_total_expectation_holds(classes: int, s: float) -> None:
    model, level = _model(classes=classes, depth=2), torch.tensor(s, dtype=torch.float64)
    truth: Any = model.target.exact
    y = truth.sample(40, 0) + s * truth.sample(40, 1)
    share = truth.class_log_probs(y, level).exp()
    mixed = sum(share[:, [c]] * _denoise(model, y, level, c) for c in range(classes))
    torch.testing.assert_close(mixed, _denoise(model, y, level, NO_CLASS))
    torch.testing.assert_close(share.sum(1), torch.ones(40, dtype=torch.float64))


@pytest.mark.parametrize("s", [0.02, 0.3, 4.0])
def test_scores_and_classifier_are_bayes(s: float) -> None:
    model, level = _model(), torch.tensor(s, dtype=torch.float64)
    truth: Any = model.target.exact
    y = (truth.sample(30, 0) + s * truth.sample(30, 1)).requires_grad_(True)
    whole = truth.classed.mixture.log_joint(y, level).logsumexp(1)
    (score,) = torch.autograd.grad(whole.sum(), y, retain_graph=True)
    (pull,) = torch.autograd.grad(truth.class_log_probs(y, level)[:, 1].sum(), y)
    y = y.detach()
    free, own = (_denoise(model, y, level, label) for label in (NO_CLASS, 1))
    torch.testing.assert_close(y + s * s * score, free, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(y + s * s * (score + pull), own, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(whole.detach(), truth.log_prob(y, s))


def test_rows_of_several_classes_are_those_of_each_alone() -> None:
    model, level = _model(), torch.tensor(0.3, dtype=torch.float64)
    assert isinstance(model.denoiser, Conditional)
    y = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2)
    labels = torch.tensor([0, 1, NO_CLASS, 1, 0, NO_CLASS])
    mixed = model.denoiser.network(y, level, labels)
    for label in (0, 1, NO_CLASS):
        rows = labels == label
        torch.testing.assert_close(mixed[rows], _denoise(model, y, level, label)[rows])


def test_a_blurred_model_is_exact_for_noised_data() -> None:
    exact, blurred = _model(), _model(blur=0.3, weak_blur=0.5)
    y = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2)
    s, total = (torch.tensor(v, dtype=torch.float64) for v in (0.4, 0.5))
    for label in (0, NO_CLASS):
        score = (_denoise(blurred, y, s, label) - y) / s**2
        expected = (_denoise(exact, y, total, label) - y) / total**2
        torch.testing.assert_close(score, expected)
    assert isinstance(blurred.weak, Conditional)
    with pytest.raises(UnsupportedError, match="blurred"):
        blurred.target.exact.log_prob(y, 0.1)  # type: ignore[union-attr]
    same = blurred.target.exact.sample(50, 3)  # type: ignore[union-attr]
    assert torch.equal(same, exact.target.exact.sample(50, 3))  # type: ignore[union-attr]


def test_samples_of_a_class_are_those_of_its_components() -> None:
    truth: Any = _model(depth=2).target.exact
    labels = torch.arange(6000) % 2
    x = truth.sample_classes(labels, 1)
    for label in (0, 1):
        own = truth.classed.of_classes(torch.tensor([label]))
        weights = own.log_weights.softmax(1)[0]
        mean = weights @ own.means
        spread = torch.einsum("kde,ke,kfe->kdf", own.vectors, own.values, own.vectors)
        about = own.means - mean
        spread = torch.einsum("k,kdf->df", weights, spread + about[:, :, None] * about[:, None])
        rows = x[labels == label]
        error = rows.std(0) / len(rows) ** 0.5
        assert bool(((rows.mean(0) - mean).abs() < 4 * error).all())
        torch.testing.assert_close(rows.T.cov(), spread, rtol=0.15, atol=0.005)


def test_a_task_asks_for_classes_that_the_model_has() -> None:
    model = _model()
    for parameters in ({}, {"only": 2}):
        with pytest.raises(UnsupportedError, match="classes 0 to 1; set the task's classes"):
            Classes(**parameters).pose(model, CPU, torch.float64)
    asked = Classes(classes=2).pose(model, CPU, torch.float64).of_samples(0, 3, 4)
    assert asked.labels is not None
    assert asked.labels.tolist() == [1, 0, 1, 0]


def test_trees_are_mirror_images() -> None:
    truth: Any = _model(classes=3, depth=1).target.exact
    means = truth.classed.mixture.means.reshape(3, -1, 2)
    torch.testing.assert_close(means[0, :, 1], means[2, :, 1])
    torch.testing.assert_close(means[0, :, 0], -means[2, :, 0])


@pytest.mark.parametrize(
    "change",
    [{"classes": 1}, {"depth": 0}, {"blur": 0.2}, {"blur": -0.1}, {"s_min": 90.0}],
)
def test_wrong_parameters_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        model_of("class_mixture", **change)
