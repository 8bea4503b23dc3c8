"""Precision, recall, density and coverage of points: definitions, closed forms, error bars."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_prc import prc_features_to_metric

from bench.api import (
    Batch,
    CountedDenoiser,
    Draw,
    Measurement,
    Sampler,
    Trial,
    UnsupportedError,
    generate,
)
from bench.registry import ParameterError, build
from bench.testing import grid_of, model_of, process_of, stepper_of
from bench_plugins.metrics.neighbours import Fidelity, expected_coverage, fidelity
from bench_plugins.metrics.prdc_points import PointFidelity

CPU = torch.device("cpu")


def _normal(n: int, seed: int, d: int = 2, scale: float = 1.0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, d))) * scale


def _by_definition(fake: Tensor, real: Tensor, k: int) -> tuple[float, float, float, float]:
    """The four numbers, one pair of points at a time."""
    x, y = fake.numpy(), real.numpy()

    def radius(points: np.ndarray, i: int) -> float:
        gaps = np.linalg.norm(np.delete(points, i, 0) - points[i], axis=1)
        return float(np.sort(gaps)[k - 1])

    of_fake = [radius(x, j) for j in range(len(x))]
    of_real = [radius(y, i) for i in range(len(y))]
    gap = np.linalg.norm(y[:, None] - x[None], axis=2)
    in_real = gap <= np.array(of_real)[:, None]
    in_fake = gap <= np.array(of_fake)[None]
    return (
        float(in_real.any(0).mean()),
        float(in_fake.any(1).mean()),
        float(in_real.sum() / (k * len(x))),
        float(in_real.any(1).mean()),
    )


CASES = [(30, 40, 1, 1.0), (40, 30, 3, 0.5), (25, 60, 5, 2.0), (60, 60, 2, 1.0)]


@pytest.mark.parametrize(("n", "count", "k", "scale"), CASES)
def test_numbers_are_those_of_the_definitions(n: int, count: int, k: int, scale: float) -> None:
    fake, real = _normal(n, 1, scale=scale), _normal(count, 2)
    found = fidelity(fake, real, k)
    precision, recall, density, coverage = _by_definition(fake, real, k)
    assert float(found.precision.mean()) == pytest.approx(precision)
    assert found.recall.value == pytest.approx(recall)
    assert float(found.density.mean()) == pytest.approx(density)
    assert found.coverage.value == pytest.approx(coverage)


def test_precision_and_recall_are_torch_fidelitys() -> None:
    fake, real = _normal(300, 3, d=5, scale=0.8), _normal(400, 4, d=5)
    theirs = prc_features_to_metric(fake, real, prc_neighborhood=3, verbose=False)
    found = fidelity(fake, real, 3)
    assert float(found.precision.mean()) == pytest.approx(theirs["precision"], abs=1e-6)
    assert found.recall.value == pytest.approx(theirs["recall"], abs=1e-6)


def _without(points: Tensor, j: int) -> Tensor:
    return torch.cat([points[:j], points[j + 1 :]])


@pytest.mark.parametrize(("n", "count", "k", "scale"), CASES)
def test_changes_are_those_of_leaving_samples_out(n: int, count: int, k: int, scale: float) -> None:
    fake, real = _normal(n, 5, scale=scale), _normal(count, 6)
    found = fidelity(fake, real, k)
    for name in ("recall", "coverage"):
        share = getattr(found, name)
        again = [getattr(fidelity(_without(fake, j), real, k), name).value for j in range(n)]
        changes = torch.tensor(again, dtype=torch.float64) - share.value
        torch.testing.assert_close(share.changes, changes)
        assert float(share.influence.mean()) == pytest.approx(0, abs=1e-12)


def test_parts_of_the_table_of_distances_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, real = _normal(50, 7), _normal(70, 8)
    whole = fidelity(fake, real, 4)
    monkeypatch.setattr("bench_plugins.metrics.neighbours._PAIRS", 300)
    parts = fidelity(fake, real, 4)
    torch.testing.assert_close(parts.density, whole.density)
    torch.testing.assert_close(parts.recall.changes, whole.recall.changes)
    torch.testing.assert_close(parts.coverage.changes, whole.coverage.changes)


def _runs(n: int, count: int, k: int, repeats: int) -> list[Fidelity]:
    return [fidelity(_normal(n, 100 + i), _normal(count, 10_000 + i), k) for i in range(repeats)]


@pytest.mark.parametrize(("n", "count", "k"), [(100, 100, 5), (60, 150, 2), (150, 60, 3)])
def test_exact_samples_have_the_expected_coverage_and_density(n: int, count: int, k: int) -> None:
    """Whatever the distribution is: both follow from ranks (Naeem et al. 2020, Eq. 9 and 11)."""
    runs = _runs(n, count, k, 300)
    coverage = np.array([run.coverage.value for run in runs])
    density = np.array([float(run.density.mean()) for run in runs])
    for seen, wanted in ((coverage, expected_coverage(n, count, k)), (density, 1.0)):
        assert abs(seen.mean() - wanted) < 4 * seen.std() / np.sqrt(len(runs))


def test_expected_coverage_is_the_papers_for_many_points() -> None:
    assert expected_coverage(10**7, 10**7, 5) == pytest.approx(1 - 2**-5, rel=1e-5)


def test_error_bars_are_the_spread_over_samples_or_a_little_more() -> None:
    """The real points fixed, as in the metric."""
    real, n = _normal(300, 1), 200
    runs = [fidelity(_normal(n, 100 + i), real, 5) for i in range(200)]
    for of in (lambda r: r.recall, lambda r: r.coverage):
        spread = np.std([of(run).value for run in runs], ddof=1)
        errors = [float(of(run).influence.std()) / np.sqrt(n) for run in runs]
        ratio = np.sqrt(np.mean(np.square(errors))) / spread
        assert 0.85 < ratio < 2
    values = [float(run.precision.mean()) for run in runs]
    errors = [float(run.precision.std()) / np.sqrt(n) for run in runs]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values), rel=0.2)


def test_lost_modes_cost_recall_and_coverage_and_outliers_precision() -> None:
    real = torch.cat([_normal(300, 1, scale=0.1) + 3, _normal(300, 2, scale=0.1) - 3])
    half = fidelity(_normal(400, 3, scale=0.1) + 3, real, 5)
    assert float(half.precision.mean()) > 0.9
    assert half.recall.value < 0.51
    assert half.coverage.value < 0.51
    wide = fidelity(torch.cat([real + 1e-3, _normal(600, 4, scale=30)]), real, 5)
    assert float(wide.precision.mean()) < 0.6
    assert wide.coverage.value == 1


def test_equal_samples_are_no_trouble() -> None:
    real = _normal(50, 1)
    found = fidelity(torch.zeros(40, 2, dtype=torch.float64), real, 3)
    assert found.recall.value == 0  # balls of radius 0
    assert found.recall.influence.isfinite().all()
    assert 0 <= found.coverage.value < 0.5


def _trial(model: str, samples: int, steps: int = 30, seed: int = 0) -> Trial:
    loaded, process = model_of(model).load(CPU, torch.float64), process_of("vp")
    low, high = process.s_range
    times = grid_of("karras").times(process, steps, max(loaded.s_min, low), min(loaded.s_max, high))
    draw = Draw(seed, samples, 256, loaded.shape, torch.float64)
    return Trial(loaded, process, Sampler(stepper_of("dpmpp_2m")), times, draw)


def _measure(metric: PointFidelity, trial: Trial) -> dict[str, Measurement]:
    accumulator = metric.start(trial)
    with torch.no_grad():
        counted = CountedDenoiser(trial.model.denoiser)
        for batch in generate(trial.process, counted, trial.sampler, trial.times, trial.draw):
            accumulator.add(batch)
    return {number.metric: number for number in accumulator.result()}


def test_a_good_solver_has_the_numbers_of_exact_samples() -> None:
    found = _measure(PointFidelity(reference_samples=1000), _trial("rings", 1000))
    for name in ("precision", "recall", "coverage", "density"):
        number, exact = found[f"{name}_points"], found[f"{name}_exact_points"]
        assert number.std_error is not None
        error = np.hypot(number.std_error, exact.std_error or 0)
        # Coverage's and density's exact values are means over real points, too: these are fixed.
        assert abs(number.value - exact.value) < 4 * error + 0.01
        assert (number.role, exact.role) == (
            ("diagnostic" if name == "density" else "quality"),
            "exact",
        )
        assert exact.belongs_to == f"{name}_points"
        assert number.evidence is not None
        assert float(number.evidence.mean()) == pytest.approx(number.value)
        assert exact.evidence is None


def test_real_points_are_the_same_for_all_seeds() -> None:
    """So that error bars, which are given them, hold for differences of cells."""
    metric = PointFidelity(reference_samples=300)
    first, second = (_measure(metric, _trial("rings", 100, seed=seed)) for seed in (0, 1))
    for name in ("precision_exact_points", "recall_exact_points"):
        assert first[name].value == second[name].value
    assert first["coverage_points"].value != second["coverage_points"].value


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="needs a model with a closed-form distribution"):
        PointFidelity().start(_trial("digits_mlp", 64))
    with pytest.raises(UnsupportedError, match="needs 7 samples for 5 neighbours; there are 6"):
        PointFidelity().start(_trial("rings", 6))
    with pytest.raises(ParameterError, match="reference_samples must lie in"):
        build(PointFidelity, {"reference_samples": 6})
    accumulator = PointFidelity().start(_trial("rings", 8))
    accumulator.add(Batch(0, torch.full((8, 2), torch.nan)))
    with pytest.raises(UnsupportedError, match="samples are not finite"):
        accumulator.result()
