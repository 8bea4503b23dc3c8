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
from bench_plugins.metrics.fd_class import Cifar10JpegClassFrechet, MnistClassFrechet

SETS = {
    "mnist": (MnistClassFrechet(), "mnist_unet_classes", 60_000),
    "cifar10_jpeg": (Cifar10JpegClassFrechet(), "cifar10_jpeg_unet", 50_000),
}


def _trial(samples: int = 60, data: str = "mnist", **parameters: Any) -> Trial:
    model = model_of(SETS[data][1], **parameters).load(torch.device("cpu"), torch.float32)
    process = process_of("vp")
    times = grid_of("karras").times(process, 4, 0.01, 50.0)
    draw = Draw(0, samples, samples, model.shape)
    return Trial(model, process, Sampler(ode_solver_of("ddim")), times, draw)


def _images(count: int, shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    levels = torch.randint(0, 256, (count, *shape), generator=generator)
    return (levels.float() + 0.5) * (2 / 256) - 1


def _measure(trial: Trial, x: Tensor) -> Any:
    accumulator = SETS[trial.model.target.data][0].start(trial)
    for first in range(0, len(x), 25):
        accumulator.add(Batch(first, x[first : first + 25]))
    (found,) = accumulator.result()
    return found


@pytest.mark.parametrize("data", SETS)
def test_it_is_the_mean_of_the_classes_own_distances(data: str) -> None:
    trial = _trial(data=data, label="balanced")
    x = _images(60, trial.model.shape)
    found = _measure(trial, x)
    labels = trial.labels(0, 60)
    assert labels is not None
    assert trial.model.target.discrete is not None
    images = trial.model.target.discrete.quantise(x)
    features = extractor(f"scorebench-{data}", False)(images)[0].double().numpy()
    known = read_weights(DATA / f"{data}_class_reference.safetensors")
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
    assert found.reference_n == SETS[data][2]
    assert found.reference == file_sha256(DATA / f"{data}_class_reference.safetensors")


def test_samples_without_classes_and_lonely_ones_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="needs two samples of each class"):
        MnistClassFrechet().start(_trial(10, label="balanced"))
    with pytest.raises(UnsupportedError, match="compares with the data set 'mnist'"):
        MnistClassFrechet().start(_trial(data="cifar10_jpeg", label="balanced"))
    model = model_of("mnist_unet").load(torch.device("cpu"), torch.float32)
    trial = _trial()
    other = Trial(model, trial.process, trial.sampler, trial.times, trial.draw)
    with pytest.raises(UnsupportedError, match="needs samples of classes"):
        MnistClassFrechet().start(other)
