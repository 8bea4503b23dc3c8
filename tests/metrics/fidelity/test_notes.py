"""What a row says of the reference, and values where a reference is constant or small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from bench.api import BenchError, Measurement, Moments, Trial
from bench.run.attempt import Attempt
from bench.run.measure import _finish
from bench.run.rows import metric_rows
from bench_plugins.fidelity import reference
from bench_plugins.fidelity.extractors import load_extractor
from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.fid_infinity import FrechetInfinity
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelInception
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION
from bench_plugins.fidelity.prc import PrecisionRecall
from bench_plugins.fidelity.weights import PublishedWeights, find_weights

Photos = Callable[..., Tensor]
Measure = Callable[..., dict[str, Measurement]]
Saver = Callable[[str, Tensor], Path]
Trials = Callable[..., Trial]


def _fid(measure: Measure, against: Path, samples: Tensor) -> Measurement:
    return measure([FrechetInception(against=str(against))], samples)["fid"]


def _moments(tiny: PublishedWeights, images: Tensor) -> Moments:
    kind = EXTRACTORS[INCEPTION]
    network = load_extractor(kind, find_weights(tiny, None), torch.device("cpu")).network
    return Moments.of(network(images)[0].detach())


def test_number_and_conversions_stand_in_the_row(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    trial_of: Trials,
) -> None:
    folder, samples = save_folder("real", photos(20, 2)), photos(64, 1)
    grey = np.ascontiguousarray(photos(1, 3, channels=1)[0, 0].numpy())
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "a.png")
    Image.fromarray(grey).save(folder / "b.tif")
    (folder / "labels.json").write_text("{}", encoding="utf-8")
    metric = FrechetInception(against=str(folder))
    number = _fid(measure, folder, samples)
    (row,) = metric_rows({"note": "of the sampler"}, metric, "{}", Attempt([number]))
    assert row["reference_n"] == 22
    assert row["reference_note"] == "16 bits to 8: 1; grey to RGB: 2; left out: 1 .json"
    assert row["note"] == "of the sampler"
    (folder / "labels.json").unlink()  # which is no part of the statistics that are kept
    again = _fid(measure, folder, samples)
    assert (again.value, again.reference) == (number.value, number.reference)
    assert again.reference_note == "16 bits to 8: 1; grey to RGB: 2"


def test_all_metrics_of_a_reference_tell_of_it(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    against = str(save_folder("real", photos(30, 2, 16, 1)))
    metrics = [
        FrechetInception(against=against),
        FrechetInfinity(against=against, smallest=20, points=5),
        KernelInception(against=against, subset_size=20, subsets=5),
        PrecisionRecall(against=against),
    ]
    numbers = measure(metrics, photos(64, 1))
    assert len(numbers) == 7
    assert {number.reference_n for number in numbers.values()} == {30}
    assert {number.reference_note for number in numbers.values()} == {"grey to RGB: 30"}
    alone = measure([InceptionScore()], photos(64, 1))["inception_score"]
    assert (alone.reference_n, alone.reference_note) == (None, "")


def test_the_number_behind_statistics_is_told_where_it_is_known(
    tiny: PublishedWeights, photos: Photos, measure: Measure, tmp_path: Path
) -> None:
    real = _moments(tiny, photos(50, 2))
    np.savez(tmp_path / "edm.npz", mu=real.mean, sigma=real.covariance)
    np.savez(tmp_path / "pool.npz", pool_3=np.random.default_rng(0).random((70, 16)))
    number = _fid(measure, tmp_path / "edm.npz", photos(64, 1))
    assert number.reference_n is None
    assert number.reference_note == "statistics of a number of images that is not told"
    assert _fid(measure, tmp_path / "pool.npz", photos(64, 1)).reference_n == 70


def test_a_matrix_with_negative_eigenvalues_is_refused(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, tmp_path: Path
) -> None:
    sigma = np.eye(16)
    sigma[0, 1] = sigma[1, 0] = 1.5
    np.savez(tmp_path / "a.npz", mu=np.zeros(16), sigma=sigma)
    with pytest.raises(BenchError, match=r"a\.npz: sigma is no covariance: it has negative"):
        FrechetInception(against=str(tmp_path / "a.npz")).start(trial_of(photos(64, 1)))
    np.savez(tmp_path / "b.npz", mu=np.zeros(16), sigma=np.zeros((16, 16)))
    FrechetInception(against=str(tmp_path / "b.npz")).start(trial_of(photos(64, 1)))


def test_16_bit_images_give_the_numbers_of_8_bit_ones(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver, tmp_path: Path
) -> None:
    real = photos(30, 2, 16, 1)
    eight = save_folder("eight", real)
    (tmp_path / "sixteen").mkdir()
    for i, image in enumerate(real):
        wide = image[0].numpy().astype(np.uint16) * 257
        Image.fromarray(wide).save(tmp_path / "sixteen" / f"{i:05d}.png")
    samples = photos(64, 1)
    sixteen = _fid(measure, tmp_path / "sixteen", samples)
    assert sixteen.value == _fid(measure, eight, samples).value
    assert sixteen.reference_note == "16 bits to 8: 30; grey to RGB: 30"


def _metrics(against: Path) -> list[Any]:
    place = str(against)
    return [
        FrechetInception(against=place),
        FrechetInfinity(against=place, smallest=20, points=5),
        KernelInception(against=place, subset_size=20, subsets=5),
        PrecisionRecall(against=place),
        InceptionScore(splits=2),
    ]


def test_equal_images_beside_equal_images(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    same = photos(1, 2).expand(40, -1, -1, -1)
    numbers = measure(_metrics(save_folder("same", same)), photos(1, 2).expand(48, -1, -1, -1))
    values = {name: number.value for name, number in numbers.items()}
    assert values["fid"] == pytest.approx(0, abs=1e-9)
    assert values["fid_infinity"] == pytest.approx(0, abs=1e-9)
    assert values["kid"] == pytest.approx(0, abs=1e-9)
    assert values["precision"] == values["recall"] == values["f_score"] == 1
    assert values["inception_score"] == pytest.approx(1, abs=1e-9)
    assert numbers["fid"].std_error == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("real", [2, 12, 40])
def test_equal_images_beside_others_are_at_their_closed_form(
    real: int, tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    same, samples = photos(1, 2).expand(real, -1, -1, -1), photos(48, 1)
    number = _fid(measure, save_folder("same", same), samples)
    known, found = _moments(tiny, same), _moments(tiny, samples)
    closed = (known.mean - found.mean).square().sum() + found.covariance.trace()
    assert number.value == pytest.approx(float(closed), rel=1e-6)
    assert number.std_error is not None
    assert number.std_error > 0
    turned = _fid(measure, save_folder("many", samples), same)
    assert turned.value == pytest.approx(number.value, rel=1e-6)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_fewer_images_than_features_have_a_distance(
    n: int, tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    few = photos(n, 2)
    folder = save_folder("few", few)
    itself = _fid(measure, folder, few)
    assert 0 <= itself.value < 1e-6
    assert itself.std_error is not None
    assert _fid(measure, folder, photos(64, 1)).value > 0.1


def test_a_value_survives_its_error_bar_and_the_row_says_so(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, samples = save_folder("real", photos(40, 2)), photos(64, 1)
    whole = _fid(measure, folder, samples)

    def fails(*_: object) -> Tensor:
        raise RuntimeError("failed to converge")

    monkeypatch.setattr("bench_plugins.fidelity.fid.frechet_influence", fails)
    bare = _fid(measure, folder, samples)
    assert bare.value == whole.value
    metric = FrechetInception(against=str(folder))
    (row,) = metric_rows({"note": ""}, metric, "{}", Attempt([bare]))
    assert (row["status"], row["value"], row["std_error"]) == ("ok", whole.value, None)
    assert row["note"] == "no standard error (RuntimeError: failed to converge)"


@pytest.mark.parametrize("given", ["much", float("nan"), float("inf"), -1.0, [1.0], object()])
def test_a_standard_error_that_is_none_costs_no_value(given: Any, trial_of: Trials) -> None:
    class Ready:
        def add(self, batch: object) -> None: ...

        def result(self) -> list[Measurement]:
            return [Measurement("m", 2.0, "1", 3, std_error=given)]

    outcome = _finish(InceptionScore(), Attempt(Ready()), trial_of(torch.zeros(2, 3, 4, 4)))
    assert outcome.value is not None
    (number,) = outcome.value
    assert (number.value, number.std_error) == (2.0, None)
    assert number.note == "no standard error (what the metric gave for it is none)"


def test_statistics_made_by_other_code_are_not_taken(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, samples = save_folder("real", photos(40, 2)), photos(64, 1)
    first = _fid(measure, folder, samples)
    with monkeypatch.context() as patch:
        patch.setattr(reference, "code_identity", lambda *_, **__: "of other code")
        reference._cache_name.cache_clear()
        again = _fid(measure, folder, samples)
    reference._cache_name.cache_clear()
    assert (again.value, again.reference) == (first.value, first.reference)
    assert len(list((cache / "references").glob("*.safetensors"))) == 2
