"""What the verdicts promise, by simulation: false alarms, power, coverage, size."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from bench.api import (
    CountedDenoiser,
    Draw,
    Moments,
    Sampler,
    frechet_distance,
    frechet_influence,
    generate,
    root_factor,
)
from bench.compare.compare import compare
from bench.compare.inputs import open_results
from bench.compare.question import CompareOptions
from bench.registry import Kind, build, load_registry
from bench.results import bundle
from bench.stats.significance import t_half_widths
from bench.stats.spread import paired_spread, unpaired_spread
from bench_plugins.metrics.extractors import extractor
from bench_plugins.metrics.fd import DigitsFrechet

ALPHA = 0.05
TRIALS = 500
SAMPLES = 2048
"""Of a point of the quick suite."""

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def pool() -> dict[str, torch.Tensor]:
    """Features of digits that three samplers drew from the same noise, 32,768 of each."""
    registry = load_registry()
    model = build(registry.get("digits_mlp", Kind.MODEL).cls, {}).load(
        torch.device("cpu"), torch.float32
    )
    process = build(registry.get("vp", Kind.PROCESS).cls, {})
    grid = build(registry.get("karras", Kind.GRID).cls, {})
    network = extractor("scorebench-digits", False)
    found = {}
    for name, steps in (("coarse", 8), ("fine", 9), ("ancestral", 15)):
        kind, solver = (
            (Kind.PREDICTOR, "ancestral") if name == "ancestral" else (Kind.ODE_SOLVER, "ddim")
        )
        sampler = Sampler(build(registry.get(solver, kind).cls, {}))
        times = grid.times(process, steps, model.s_min, model.s_max)
        draw = Draw(7, 32768, 1024, model.shape)
        counted = CountedDenoiser(model.denoiser, shard=64)
        with torch.no_grad():
            parts = [
                network(model.target.discrete.quantise(batch.x))[0]
                for batch in generate(process, counted, sampler, times, draw)
            ]
        found[name] = torch.cat(parts)
    return found


def _measured(features: torch.Tensor) -> Floats:
    """What `fd_digits` hands out: numbers per sample, their mean the distance."""
    known, moments = DigitsFrechet().moments("reference").tensors, Moments.of(features)
    mean, covariance = known["mean"], known["covariance"]
    value = frechet_distance(mean, covariance, moments.mean, moments.covariance)
    influence = frechet_influence(features, mean, moments.covariance, root_factor(covariance))
    return np.asarray((value + influence).numpy())


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(0, 1), (0, 0)], ids=["other seeds", "common noise"])
def test_false_alarms_are_at_most_alpha(
    made: Any, pool: dict[str, torch.Tensor], seeds: tuple[int, int]
) -> None:
    """Two runs of the same three samplers, 500 times: `worse` anywhere at most alpha of them.

    With common noise, one image in four comes out different, and no worse on the average.
    """
    draws = torch.Generator().manual_seed(11)
    alarms, n = 0, 512
    for _ in range(TRIALS):
        base, head = {}, {}
        for budget, features in enumerate(pool.values(), start=1):
            first = torch.randint(len(features), (n,), generator=draws)
            second = torch.randint(len(features), (n,), generator=draws)
            if seeds[0] == seeds[1]:
                kept = torch.rand(n, generator=draws) < 0.75
                second = torch.where(kept, first, second)
            base[budget], head[budget] = _measured(features[first]), _measured(features[second])
        found = made.samples_compared(base, head, CompareOptions(alpha=ALPHA), seeds=seeds)
        alarms += int(found.exit_code)
    assert alarms <= ALPHA * TRIALS


@pytest.mark.slow
def test_a_loss_of_five_percent_is_found_or_the_samples_that_it_takes_are_told(
    made: Any, pool: dict[str, torch.Tensor]
) -> None:
    """A share of HEAD's images comes from a coarser solver, from the same noise: 5 % more FD."""
    fine, coarse = pool["fine"], pool["coarse"]
    mixed = _share_for_loss(fine, coarse, 1.05)
    draws = torch.Generator().manual_seed(5)

    def verdicts(n: int, trials: int) -> pd.DataFrame:
        rows = []
        for _ in range(trials):
            picked = torch.randint(len(fine), (n,), generator=draws)
            base, head = _measured(fine[picked]), _measured(mixed[picked])
            rows.append(made.samples_compared({10: base}, {10: head}).points.iloc[0])
        return pd.DataFrame(rows)

    quick = verdicts(SAMPLES, 200)
    assert quick["verdict"].isin(["worse", "inconclusive"]).mean() >= 0.99
    if quick["verdict"].eq("worse").mean() < 0.9:
        open_ = quick[quick["verdict"].eq("inconclusive")]
        assert open_["needed"].gt(SAMPLES).all()
        enough = int(quick["needed"].median())
        assert verdicts(enough, 100)["verdict"].eq("worse").mean() >= 0.9


def _share_for_loss(fine: torch.Tensor, coarse: torch.Tensor, ratio: float) -> torch.Tensor:
    """The fine features, with as many replaced by coarse ones as make the distance larger."""
    order = torch.rand(len(fine), generator=torch.Generator().manual_seed(3)).argsort()
    target = ratio * float(_measured(fine).mean())
    low, high = 0, len(fine)
    while high - low > 1:
        count = (low + high) // 2
        mixed = fine.clone()
        mixed[order[:count]] = coarse[order[:count]]
        low, high = (low, count) if float(_measured(mixed).mean()) > target else (count, high)
    return mixed


@pytest.mark.slow
def test_a_loss_of_five_percent_of_an_error_is_found(made: Any) -> None:
    """RMSE of 256 samples from common noise, heavy-tailed as errors of samples are."""
    draws, found = np.random.default_rng(2), 0
    for _ in range(200):
        squares = draws.lognormal(0, 1, 256)
        worse = squares * 1.05**2 * draws.lognormal(0, 0.1, 256) / math.exp(0.005)
        sides = []
        for values in (squares, worse):
            rmse = math.sqrt(values.mean())
            sides.append({10: rmse + (values - values.mean()) / (2 * rmse)})
        found += made.samples_compared(*sides).points["verdict"].iloc[0] == "worse"
    assert found >= 180


@pytest.mark.slow
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_cover_differences_of_gaussian_means(paired: bool) -> None:
    """In 4,000 trials a 95 % interval misses the truth 200 times, give or take 50."""
    draws, missed, n, truth = np.random.default_rng(4), 0, 40, 0.3
    for _ in range(4000):
        common = draws.normal(size=n) if paired else 0.0
        base = (common + draws.normal(size=n)).astype(np.float32)
        head = (common + truth + 1.5 * draws.normal(size=n)).astype(np.float32)
        spread = (paired_spread if paired else unpaired_spread)([base], [head])
        assert spread is not None
        error, freedom = np.array([spread.std_error]), np.array([spread.freedom])
        width = float(t_half_widths(error, freedom, 0.05)[0])
        missed += abs(float(head.mean() - base.mean()) - truth) > width
    assert 150 <= missed <= 250


@pytest.mark.slow
def test_intervals_cover_frechet_distances_of_gaussian_features() -> None:
    """64 dimensions, 1,024 samples a side with common noise: x_base = z, x_head = 1.02 z.

    The mean difference is that of the closed form, but for a part of the bias in n, which is most
    of a distance itself; intervals cover the mean difference at this n.
    """
    d, n, draws = 64, 1024, torch.Generator().manual_seed(6)
    spectrum = torch.linspace(2, 0.05, d, dtype=torch.float64)
    mean, covariance = torch.zeros(d, dtype=torch.float64), torch.diag(spectrum)
    factor = root_factor(covariance)

    def measured(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        own = Moments.of(x)
        value = frechet_distance(mean, covariance, own.mean, own.covariance)
        return value, frechet_influence(x, mean, own.covariance, factor)

    # tr of (sqrt(1.3 s 1.02^2) - sqrt(s))^2 less that without the 1.02
    scale = math.sqrt(1.3)
    truth = float(spectrum.sum()) * ((1.02 * scale - 1) ** 2 - (scale - 1) ** 2)
    found = []
    for _ in range(600):
        z = torch.randn(n, d, generator=draws, dtype=torch.float64) * (scale * spectrum.sqrt())
        (value, influence), (other, others) = measured(z), measured(1.02 * z)
        found.append((other - value, float((others - influence).std()) / math.sqrt(n)))
    gaps, errors = np.array(found).T
    assert gaps.mean() == pytest.approx(truth, rel=0.1)
    missed = np.abs(gaps[300:] - gaps[:300].mean()) > 1.96 * errors[300:]
    assert missed.sum() <= 27  # 15 expected; 3 standard deviations more


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_compared_within_memory(made: Any, tmp_path: Path) -> None:
    """Five seconds on two idle cores; here only memory and the result are asserted."""
    import resource

    sides = [_large(made, tmp_path / name, shift) for name, shift in (("a", 0.0), ("b", 0.5))]
    begin = time.perf_counter()
    with open_results(str(sides[0])) as base, open_results(str(sides[1])) as head:
        found = compare(base, head, CompareOptions())
    print(f"{time.perf_counter() - begin:.1f} s")
    assert len(found.points) == 20_000
    assert found.points["verdict"].eq("worse").mean() > 0.9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20  # KiB


def _large(made: Any, root: Path, shift: float) -> Path:
    """A bundle of 100,000 rows: 20,000 points of five seeds."""
    one, n = made.number(1.0), 100_000
    frame = pd.DataFrame({name: [value] * n for name, value in one.items()})
    i = np.arange(n)
    frame = frame.assign(
        seed=i % 5,
        budget=i // 5 % 10 + 1,
        nfe=(i // 5 % 10 + 1).astype(float),
        solver=_texts("solver", i // 50 % 20),
        sampler=_texts("solver", i // 50 % 20),
        model=_texts("model", i // 1000),
        key=_texts("key", i),
        value=1 + shift + 0.05 * np.random.default_rng(1).normal(size=n),
    )
    root.mkdir()
    bundle.write_rows(frame, root)
    return root


def _texts(name: str, numbers: Sequence[int] | npt.NDArray[np.int64]) -> list[str]:
    return [f"{name}{number}" for number in numbers]
