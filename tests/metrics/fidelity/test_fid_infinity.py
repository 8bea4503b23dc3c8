"""The extrapolation over 1/n takes away the bias of few samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import Trial, UnsupportedError
from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.fid_infinity import FrechetInfinity, _distances, intercept
from bench_plugins.fidelity.reference import Reference
from bench_plugins.fidelity.weights import PublishedWeights

Photos = Callable[..., Tensor]


def test_the_intercept_of_a_line_is_found() -> None:
    counts = [100, 150, 400, 1000]
    assert intercept(counts, [3 + 50 / n for n in counts]) == pytest.approx(3, rel=1e-12)
    noisy = [4.0, 3.1, 3.3, 2.9]
    known = np.polyfit([1 / n for n in counts], noisy, 1)[1]
    assert intercept(counts, noisy) == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_it_finds_the_distance_of_gaussians(shift: float) -> None:
    # Samples N(shift, I) against N(0, I) in d dimensions: the distance is d shift^2 exactly.
    d, n, exact = 16, 1500, 16 * shift**2
    real = Reference(torch.zeros(d).double(), torch.eye(d).double(), "", d, None, None)
    plain, extrapolated = [], []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        features = torch.randn(n, d, generator=generator, dtype=torch.float64) + shift
        counts = np.linspace(150, n, 15).astype(int).tolist()
        found = _distances(features, counts, real)
        plain.append(found[-1])
        extrapolated.append(intercept(counts, found))
    bias = np.mean(plain) - exact
    error = np.std(plain) / np.sqrt(len(plain))
    if shift == 0:
        assert bias > 10 * error  # there is something to take away
        assert abs(np.mean(extrapolated)) < 0.2 * bias
    spread = np.std(extrapolated) / np.sqrt(len(extrapolated))
    assert np.mean(extrapolated) == pytest.approx(exact, abs=4 * spread + 1e-3)


def test_it_is_the_intercept_of_fids_of_shuffled_samples(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Callable[..., Any],
    save_folder: Callable[[str, Tensor], Path],
) -> None:
    against, samples = str(save_folder("real", photos(100, 2))), photos(300, 1)
    shuffled = samples[np.random.default_rng(5).permutation(300)]
    fid = FrechetInception(against=against)
    known = [measure([fid], shuffled[:n])["fid"].value for n in (100, 200, 300)]
    metric = FrechetInfinity(against=against, smallest=100, points=3, shuffle_seed=5)
    found = measure([metric], samples)["fid_infinity"]
    assert found.n == 300
    assert found.value == pytest.approx(intercept([100, 200, 300], known), rel=1e-9)
    assert found.value < known[-1] < known[0]


def test_too_few_samples_are_unsupported(
    tiny: PublishedWeights, photos: Photos, trial_of: Callable[..., Trial]
) -> None:
    with pytest.raises(UnsupportedError, match="at least 5014 samples, not 64"):
        FrechetInfinity(against="anything").start(trial_of(photos(64, 1)))
