"""The distance within classes: against moments taken by numpy, and what it sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import Batch, UnsupportedError, file_sha256, read_weights
from bench.core.metric import Trial
from bench.core.sample import Draw, Sampler
from bench.testing.plugins import grid_of, model_of, ode_solver_of, process_of
from bench_plugins.metrics.extractors import DATA, extractor
from bench_plugins.metrics.fd_class import MnistClassFrechet


def _trial(samples: int = 60, **parameters: Any) -> Trial:
    model = model_of("mnist_unet_classes", **parameters).load(torch.device("cpu"), torch.float32)
    process = process_of("vp")
    times = grid_of("karras").times(process, 4, 0.01, 50.0)
    draw = Draw(0, samples, samples, model.shape)
    return Trial(model, process, Sampler(ode_solver_of("ddim")), times, draw)


def _images(count: int) -> Tensor:
    levels = torch.randint(0, 256, (count, 1, 28, 28), generator=torch.Generator().manual_seed(3))
    return (levels.float() + 0.5) * (2 / 256) - 1


def _measure(trial: Trial, x: Tensor) -> Any:
    accumulator = MnistClassFrechet().start(trial)
    for first in range(0, len(x), 25):
        accumulator.add(Batch(first, x[first : first + 25]))
    (found,) = accumulator.result()
    return found


def test_it_is_the_mean_of_the_classes_own_distances() -> None:
    trial, x = _trial(label="balanced"), _images(60)
    found = _measure(trial, x)
    labels = trial.labels(0, 60)
    assert labels is not None
    assert trial.model.target.discrete is not None
    images = trial.model.target.discrete.quantise(x)
    features = extractor("scorebench-mnist", False)(images)[0].double().numpy()
    known = read_weights(DATA / "mnist_class_reference.safetensors")
    values = []
    for label in range(10):
        own = features[(labels == label).numpy()]
        mean, cov = (known.tensors[k][label].double().numpy() for k in ("mean", "covariance"))
        gap, spread = own.mean(0) - mean, np.cov(own.T)
        root = np.sqrt(np.linalg.eigvals(cov @ spread).real.clip(0)).sum()
        values.append(gap @ gap + np.trace(cov + spread) - 2 * root)
    assert found.value == pytest.approx(float(np.mean(values)), rel=1e-4)
    assert found.std_error is not None
    assert found.std_error > 0
    assert found.n == 60
    assert found.reference_n == 60_000
    assert found.reference == file_sha256(DATA / "mnist_class_reference.safetensors")


def test_samples_without_classes_and_lonely_ones_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="needs two samples of each class"):
        MnistClassFrechet().start(_trial(10, label="balanced"))
    model = model_of("mnist_unet").load(torch.device("cpu"), torch.float32)
    trial = _trial()
    other = Trial(model, trial.process, trial.sampler, trial.times, trial.draw)
    with pytest.raises(UnsupportedError, match="needs samples of classes"):
        MnistClassFrechet().start(other)
