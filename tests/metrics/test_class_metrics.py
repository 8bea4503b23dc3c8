"""Accuracy of classes, and the distance to the tilted density."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import (
    Batch,
    Draw,
    Measurement,
    Role,
    SampleMetric,
    Sampler,
    ScoreModel,
    Trial,
    UnsupportedError,
    guide,
)
from bench.registry import Kind, build, load_registry
from bench.testing import model_of, process_of, stepper_of
from bench_plugins.guidance.tilted import TiltedDistance, sample_tilted
from bench_plugins.metrics.accuracy import ClassAccuracy

CPU = torch.device("cpu")
N = 400


def _model(**parameters: object) -> ScoreModel:
    return model_of("class_mixture", depth=2, **parameters).load(CPU, torch.float64)


def _trial(model: ScoreModel, guidance: str = "", seed: int = 0, **parameters: object) -> Trial:
    if guidance:
        rule: Any = build(load_registry().get(guidance, Kind.GUIDANCE).cls, parameters)
        model = guide(model, rule, None, torch.float64)
    process = process_of("edm")
    draw = Draw(seed, N, N, model.shape, torch.float64)
    times = (process.at_s(80.0), process.at_s(0.002))
    return Trial(model, process, Sampler(stepper_of("ddim")), times, draw)


def _numbers(metric: SampleMetric, trial: Trial, x: Tensor) -> dict[str, Measurement]:
    accumulator = metric.start(trial)
    half = len(x) // 2
    accumulator.add(Batch(0, x[:half]))
    accumulator.add(Batch(half, x[half:]))
    return {found.metric: found for found in accumulator.result()}


def _exact(trial: Trial, w: float = 1.0, seed: int = 99) -> Tensor:
    """Exact samples of each sample's class, tilted by w."""
    truth: Any = trial.model.target.exact
    labels = trial.labels(0, N)
    assert labels is not None
    x = torch.zeros(N, 2, dtype=torch.float64)
    for label in labels.unique().tolist():
        rows = labels == label
        x[rows] = sample_tilted(truth, label, w, int(rows.sum()), seed)
    return x


@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, 3.0])
def test_tilted_samples_have_the_moments_of_the_density_on_a_grid(w: float) -> None:
    truth: Any = _model().target.exact
    axis = torch.linspace(-1.6, 1.8, 500, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    zero = torch.zeros((), dtype=torch.float64)
    log = truth.log_prob(points, 0.0) + w * truth.class_log_probs(points, zero)[:, 0]
    share = log.softmax(0)[:, None]
    mean = (share * points).sum(0)
    second = (share * points.square()).sum(0)
    x = sample_tilted(truth, 0, w, 20_000, 4)
    for found, expected in ((x, mean), (x.square(), second)):
        error = found.std(0) / math.sqrt(len(x))
        assert bool(((found.mean(0) - expected).abs() < 4 * error + 1e-3).all())


def test_exact_samples_are_at_the_floor_and_others_are_not() -> None:
    trial = _trial(_model(), "cfg", scale=2.0)
    metric = TiltedDistance(reference_samples=1000)
    found = _numbers(metric, trial, _exact(trial, 2.0))
    value, floor = found["tilted_energy"], found["tilted_energy_floor"]
    assert 0.3 < value.value / floor.value < 3
    assert (floor.role, floor.belongs_to) == (Role.EXACT, "tilted_energy")
    assert value.note == "w = 2"
    assert found["class_energy"].note == "w = 1"
    shifted = _numbers(metric, trial, _exact(trial, 2.0) + 0.2)["tilted_energy"]
    assert shifted.value > 10 * floor.value
    assert shifted.std_error is not None
    assert shifted.evidence is not None
    assert float(shifted.evidence.mean()) == pytest.approx(shifted.value)


def test_the_error_bar_is_the_spread_over_samples() -> None:
    metric, found = TiltedDistance(reference_samples=1000), []
    trial = _trial(_model())
    for seed in range(12):
        x = _exact(trial, 1.0, 1000 + seed) + 0.15
        found.append(_numbers(metric, trial, x)["class_energy"])
    spread = float(torch.tensor([m.value for m in found]).std())
    errors = [m.std_error for m in found]
    assert None not in errors
    assert 0.5 < spread / float(torch.tensor(errors).mean()) < 2


@pytest.mark.parametrize(
    ("guidance", "parameters", "note"),
    [
        ("", {}, "w = 1"),
        ("cfg", {"scale": 1.5}, "w = 1.5"),
        ("cfg", {"scale": 1.5, "schedule": "linear"}, ""),
        ("cfg", {"scale": 1.5, "s_high": 3.0}, ""),
        ("cfg", {"scale": -1.0}, ""),
        ("classifier", {"scale": 0.5}, "w = 0.5"),
        ("autoguidance", {"scale": 3.0}, "w = 1"),
        ("cfg_pp", {}, ""),
        ("temperature", {}, ""),
    ],
)
def test_the_tilt_is_that_of_the_guidance(
    guidance: str, parameters: dict[str, object], note: str
) -> None:
    trial = _trial(_model(), guidance, **parameters)
    found = _numbers(TiltedDistance(reference_samples=50), trial, torch.zeros(N, 2).double())
    assert ("tilted_energy" in found) == bool(note)
    assert not note or found["tilted_energy"].note == note
    asked = _numbers(
        TiltedDistance(reference_samples=50, tilt=2.0), trial, torch.zeros(N, 2).double()
    )
    assert asked["tilted_energy"].note == "w = 2"


def test_exact_samples_have_the_exact_accuracy() -> None:
    trial = _trial(_model())
    found = _numbers(ClassAccuracy(), trial, _exact(trial))
    own, exact = found["class_accuracy"], found["class_accuracy_exact"]
    assert own.std_error is not None
    assert abs(own.value - exact.value) < 4 * own.std_error
    assert 0.8 < exact.value < 1
    assert (exact.role, exact.belongs_to) == (Role.EXACT, "class_accuracy")
    labels = trial.labels(0, N)
    assert labels is not None
    truth: Any = trial.model.target.exact
    wrong = truth.sample_classes(1 - labels, 5)
    other = _numbers(ClassAccuracy(), trial, wrong)["class_accuracy"]
    assert other.value == pytest.approx(1 - exact.value, abs=0.05)


def test_digits_that_ship_are_of_their_class() -> None:
    from bench.api import HELD_OUT, load_tensors
    from bench.files.held_out import HELD_OUT_LABELS

    model = model_of("mnist_unet_classes").load(CPU, torch.float32)
    trial = _trial(model)
    images = load_tensors(HELD_OUT["mnist"])["samples"]
    kinds = load_tensors(HELD_OUT_LABELS["mnist"])["labels"]
    labels = trial.labels(0, N)
    assert labels is not None
    places = [int((kinds == label).nonzero()[0]) for label in labels]
    x = images[places].float() / 127.5 - 1
    found = _numbers(ClassAccuracy(), trial, x)
    assert list(found) == ["class_accuracy"]
    assert found["class_accuracy"].value > 0.95
    assert _numbers(ClassAccuracy(), trial, x.flip(0))["class_accuracy"].value < 0.3


def test_samples_without_classes_have_no_accuracy() -> None:
    for name, message in (("gaussian_mixture", "needs samples of classes"),):
        trial = _trial(model_of(name).load(CPU, torch.float64))
        with pytest.raises(UnsupportedError, match=message):
            ClassAccuracy().start(trial)
        with pytest.raises(UnsupportedError, match="closed form with classes"):
            TiltedDistance().start(trial)
