"""All metrics of a cell share one evaluation of the extractor, in batches of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import Moments
from bench.config.load import load_config
from bench.registry import load_registry
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench.run.plan import make_plan
from bench_plugins.fidelity.extractors import CHUNK, load_extractor
from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelInception
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION
from bench_plugins.fidelity.metric import FeatureMetric
from bench_plugins.fidelity.prc import PrecisionRecall
from bench_plugins.fidelity.statistics import RunningMoments
from bench_plugins.fidelity.weights import PublishedWeights, find_weights

Photos = Callable[..., Tensor]
Measure = Callable[..., Any]
Saver = Callable[[str, Tensor], Path]


def _all(folder: Path) -> list[FeatureMetric]:
    against = str(folder)
    return [
        FrechetInception(against=against),
        KernelInception(against=against, subsets=3, subset_size=50),
        InceptionScore(),
        PrecisionRecall(against=against),
    ]


def _seen(tiny: PublishedWeights) -> list[int]:
    extractor = load_extractor(EXTRACTORS[INCEPTION], find_weights(tiny, None), torch.device("cpu"))
    seen: list[int] = extractor.network.seen
    return seen


@pytest.mark.parametrize("batch", [64, 30, 200])
def test_each_sample_is_evaluated_once_for_four_metrics(
    batch: int, tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    metrics = _all(save_folder("real", photos(100, 2)))
    _seen(tiny).clear()
    found = measure(metrics, photos(200, 1), batch)
    assert {"fid", "kid", "inception_score", "precision"} <= found.keys()
    reference = [CHUNK, 100 - CHUNK]
    assert _seen(tiny) == [*reference, CHUNK, CHUNK, CHUNK, 200 - 3 * CHUNK]
    _seen(tiny).clear()
    measure(metrics, photos(200, 3), batch)
    assert sum(_seen(tiny)) == 200  # the reference is cached


def test_numbers_do_not_depend_on_the_batch_of_the_run(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    metrics = _all(save_folder("real", photos(100, 2)))
    samples = photos(650, 1)
    one, *others = (measure(metrics, samples, batch) for batch in (64, 7, 100, 650))
    assert others == [one, one, one]


def test_other_images_in_the_same_place_are_not_taken_for_those_seen(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    folder = str(save_folder("real", photos(100, 2)))
    one, two = (measure([FrechetInception(against=folder)], photos(64, i)) for i in (1, 3))
    assert one["fid"].value != two["fid"].value


def test_a_grey_image_is_one_with_three_equal_channels(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    grey = photos(70, 1, 16, 1)
    folder = save_folder("grey", photos(90, 2, 16, 1))
    assert measure(_all(folder), grey) == measure(_all(folder), grey.expand(-1, 3, -1, -1))


def test_fid_has_the_standard_error_of_its_samples(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    metric = [FrechetInception(against=str(save_folder("real", photos(200, 2))))]
    samples = photos(600, 1)
    fid = measure(metric, samples)["fid"]
    assert fid.evidence.shape == (600,)
    assert float(fid.evidence.mean()) == pytest.approx(fid.value, rel=1e-12)
    draws = torch.Generator().manual_seed(0)
    choices = [torch.randint(600, (600,), generator=draws) for _ in range(60)]
    again = torch.tensor([measure(metric, samples[i])["fid"].value for i in choices])
    assert fid.std_error == pytest.approx(float(again.std()), rel=0.3)


@pytest.mark.parametrize("count", [2, 511, 512, 513, 1100])
def test_running_moments_are_those_of_all_rows(
    count: int, tiny: PublishedWeights, photos: Photos
) -> None:
    extractor = load_extractor(EXTRACTORS[INCEPTION], find_weights(tiny, None), torch.device("cpu"))
    images, running = photos(count, 1), RunningMoments()
    rows = []
    for chunk in images.split(100):
        features = extractor(chunk)
        running.add(features)
        rows.append(features.pooled)
    found, known = running.result(), Moments.of(torch.cat(rows))
    assert found.count == count
    torch.testing.assert_close(found.mean, known.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.covariance, known.covariance, rtol=1e-10, atol=1e-12)


def test_a_run_by_name(
    tiny: PublishedWeights, photos: Photos, save_folder: Saver, tmp_path: Path
) -> None:
    folder = save_folder("real", photos(80, 2, 28, 1))
    suite = tmp_path / "benchmarks.yaml"
    suite.write_text(
        "suites:\n  a:\n    models: [mnist_unet]\n    solvers: [ddim]\n    nfe: [2]\n"
        "    samples: 64\n    metrics: [inception_score, {name: prc, against: F}, "
        "{name: fid, against: F}]\n".replace("F", str(folder))
    )
    (cell,) = make_plan(load_config(suite), load_registry(), "cpu")
    rows = {row["metric"]: row for row in run_cell(cell, Machine("cpu", 1, 1)).rows}
    assert {row["status"] for row in rows.values()} == {"ok"}, rows
    assert rows["fid"]["larger_is_better"] is False
    assert rows["precision"]["larger_is_better"] is True
    assert rows["inception_score_std"]["larger_is_better"] is None
    assert rows["fid"]["metric_n"] == 64
    next(folder.rglob("*.png")).unlink()
    (other,) = make_plan(load_config(suite), load_registry(), "cpu")
    assert other.key != cell.key
