"""The numbers per sample that metrics leave: means, derivatives and standard errors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import Batch, Measurement, Moments, frechet_distance, frechet_influence, root_factor
from bench.core.errors import BenchError
from bench.results.evidence import LIMIT, fits, pack, read
from bench.run.attempt import Attempt
from bench.run.rows import evidence_of
from bench_plugins.metrics.converged import Converged
from bench_plugins.metrics.rmse import _Squares


def _gaussian(n: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Features (n, 5), and mean and covariance of another Gaussian."""
    draws = torch.Generator().manual_seed(seed)
    mix = torch.randn(5, 5, generator=draws, dtype=torch.float64)
    x = torch.randn(n, 5, generator=draws, dtype=torch.float64) @ mix + 0.3
    return x, torch.zeros(5, dtype=torch.float64), mix.mT @ mix + torch.eye(5)


def _weighted_distance(weights: Tensor, x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """The distance of the weighted empirical distribution, differentiable in the weights."""
    share = weights / weights.sum()
    centre = share @ x
    centred = x - centre
    own = (centred * share[:, None]).mT @ centred
    factor = root_factor(covariance)
    roots = torch.linalg.eigvalsh(factor.mT @ own @ factor).sqrt().sum()
    return (centre - mean).square().sum() + own.trace() + covariance.trace() - 2 * roots


def test_influence_is_the_derivative_in_the_weight_of_a_sample() -> None:
    x, mean, covariance = _gaussian(40)
    weights = torch.ones(40, dtype=torch.float64, requires_grad=True)
    _weighted_distance(weights, x, mean, covariance).backward()  # type: ignore[no-untyped-call]
    assert weights.grad is not None
    own = Moments.of(x).scatter / 40
    found = frechet_influence(x, mean, own, root_factor(covariance))
    torch.testing.assert_close(found, weights.grad * 40, rtol=1e-8, atol=1e-8)


def test_influence_gives_the_standard_error_that_a_bootstrap_gives() -> None:
    n = 2000
    x, mean, covariance = _gaussian(n, seed=1)

    def distance(points: Tensor) -> float:
        moments = Moments.of(points)
        return frechet_distance(mean, covariance, moments.mean, moments.covariance)

    influence = frechet_influence(x, mean, Moments.of(x).covariance, root_factor(covariance))
    draws = torch.Generator().manual_seed(2)
    again = [distance(x[torch.randint(n, (n,), generator=draws)]) for _ in range(400)]
    assert float(influence.std()) / math.sqrt(n) == pytest.approx(np.std(again), rel=0.15)


def test_influence_stays_finite_where_the_samples_span_a_part_of_the_space() -> None:
    x, mean, covariance = _gaussian(40)
    flat = x * torch.tensor([1.0, 1, 1, 0, 0])
    found = frechet_influence(flat, mean, Moments.of(flat).covariance, root_factor(covariance))
    assert found.isfinite().all()
    assert abs(float(found.mean())) < 1e-9


def test_rmse_hands_out_numbers_with_its_mean_and_standard_error() -> None:
    draws = torch.Generator().manual_seed(3)
    exact = torch.randn(50, 3, generator=draws, dtype=torch.float64)
    accumulator = _Squares(Converged(exact, 0.0))
    accumulator.add(Batch(0, exact + 0.1 * torch.randn(50, 3, generator=draws)))
    number = accumulator.result()[0]
    assert number.evidence is not None
    assert number.std_error is not None
    assert float(number.evidence.mean()) == pytest.approx(number.value)
    assert float(number.evidence.std()) / math.sqrt(50) == pytest.approx(number.std_error)


def _left(evidence: object, value: float = 2.0, n: int = 3) -> dict[str, list[float]]:
    number = Measurement("m", value, "1", n, evidence=evidence)  # type: ignore[arg-type]
    return {
        name: found.tolist() for name, found in evidence_of(["{}"], [Attempt([number])]).items()
    }


def test_evidence_is_kept_where_it_is_that_of_the_number() -> None:
    assert _left(torch.tensor([1.0, 2.0, 3.0])) == {"m": [1, 2, 3]}
    assert _left([1.0, 2.0, 3.0]) == {"m": [1, 2, 3]}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        torch.tensor([1.0, 2.0]),  # another length
        torch.tensor([1.0, 2.0, 9.0]),  # another mean
        torch.tensor([[1.0, 2.0, 3.0]]),
        torch.tensor([math.nan, 2.0, 3.0]),
        ["a", "b", "c"],
        object(),
    ],
)
def test_evidence_that_does_not_fit_its_number_is_left_out(bad: object) -> None:
    assert _left(bad) == {}


def test_evidence_above_the_limit_is_left_out() -> None:
    most = LIMIT // 4
    assert len(_left(torch.full((most,), 2.0), n=most)) == 1
    assert _left(torch.full((most + 1,), 2.0), n=most + 1) == {}


def test_a_number_near_zero_with_large_parts_keeps_its_evidence() -> None:
    assert fits(np.array([-1e3, 1e3], dtype=np.float32), 1e-6)


def test_files_of_evidence_come_back_and_damaged_ones_are_named(tmp_path: Path) -> None:
    values = {"rmse": np.array([1, 2], np.float32), "<b>/..": np.array([3, 4], np.float32)}
    path = tmp_path / "cell.safetensors"
    path.write_bytes(pack(values, "evidence/cell"))
    found = read(path, "evidence/cell")
    assert {name: v.tolist() for name, v in found.items()} == {"rmse": [1, 2], "<b>/..": [3, 4]}
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(BenchError, match=r"cell\.safetensors: is damaged"):
        read(path, "evidence/cell")
    assert read(tmp_path / "none", "evidence/none") == {}
