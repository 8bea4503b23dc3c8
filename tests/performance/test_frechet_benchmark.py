"""The Frechet distance in Inception-v3's 2048 dimensions beside torch-fidelity's and scipy's.

As for the sampling loop, all contestants take turns in one process, ratios of processor time to
ours stand in ``extra_info``, and nothing asserts a time. What is asserted is the value.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator

import pytest
import scipy.linalg
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

from bench.api import Moments, frechet_distance, root_factor

D = 2048
ROUNDS = 3


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _moments(count: int, seed: int) -> Moments:
    """Of features whose variances fall over six decades, as Inception's do."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(0, -3, D, dtype=torch.float64)
    mix = torch.randn(D, 64, generator=generator, dtype=torch.float64) / 64
    noise = torch.randn(count, D, generator=generator, dtype=torch.float64) * scales
    return Moments.of(noise + noise @ mix @ mix.mT + 0.05 * seed)


def _fidelity(one: Moments, two: Moments) -> float:
    stats = [{"mu": m.mean.numpy(), "sigma": m.covariance.numpy()} for m in (one, two)]
    return float(fid_statistics_to_metric(*stats, False)[KEY_METRIC_FID])


def _scipy(one: Moments, two: Moments) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = scipy.linalg.sqrtm((one.covariance @ two.covariance).numpy())
    gap = (one.mean - two.mean).square().sum()
    trace = one.covariance.trace() + two.covariance.trace()
    return float(gap + trace) - 2 * float(root.trace().real)


def _ours(one: Moments, two: Moments, factor: Tensor | None = None) -> float:
    rank = min(one.rank, two.rank)
    return frechet_distance(
        one.mean, one.covariance, two.mean, two.covariance, factor_1=factor, rank=rank
    )


@pytest.mark.slow
@pytest.mark.parametrize(("real", "count"), [(6000, 5000), (6000, 1000), (1500, 1000)])
def test_frechet_distance(benchmark: BenchmarkFixture, real: int, count: int) -> None:
    one, two = _moments(real, 1), _moments(count, 2)
    factor = root_factor(one.covariance)
    contestants: dict[str, Callable[[], float]] = {
        "ours": lambda: _ours(one, two),
        "ours_in_a_sweep": lambda: _ours(one, two, factor),
        "torch_fidelity": lambda: _fidelity(one, two),
    }
    if count == 5000:
        contestants["scipy_sqrtm"] = lambda: _scipy(one, two)

    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    values: dict[str, float] = {}
    for turn in range(ROUNDS):
        for name, contestant in contestants.items():
            if name == "scipy_sqrtm" and turn:  # half a minute each
                continue
            begin = time.process_time()
            values[name] = contestant()
            seconds[name].append(time.process_time() - begin)
    assert values["ours_in_a_sweep"] == values["ours"]
    assert values["torch_fidelity"] == pytest.approx(values["ours"], rel=1e-7)
    if "scipy_sqrtm" in values:
        assert values["scipy_sqrtm"] == pytest.approx(values["ours"], rel=1e-7)

    base = statistics.median(seconds["ours"])
    benchmark.extra_info["dimension"] = D
    benchmark.extra_info["samples"] = [real, count]
    for name in contestants:
        ratio = statistics.median(seconds[name]) / base
        benchmark.extra_info[f"{name}_over_ours"] = round(ratio, 2)
    benchmark.pedantic(contestants["ours"], rounds=1)
