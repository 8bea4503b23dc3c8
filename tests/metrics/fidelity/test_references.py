"""Real images and their statistics, from every source, computed once."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch_fidelity.registry import DATASETS_REGISTRY

from bench.api import (
    BenchError,
    Moments,
    Plugin,
    Trial,
    UnsupportedError,
    load_tensors,
    root_factor,
)
from bench.registry import build
from bench_plugins.fidelity import sources
from bench_plugins.fidelity.extractors import load_extractor
from bench_plugins.fidelity.fid import FrechetInception
from bench_plugins.fidelity.fid_infinity import FrechetInfinity
from bench_plugins.fidelity.inception_score import InceptionScore
from bench_plugins.fidelity.kid import KernelInception
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION
from bench_plugins.fidelity.prc import PrecisionRecall
from bench_plugins.fidelity.sources import open_source
from bench_plugins.fidelity.weights import PublishedWeights, find_weights

Photos = Callable[..., Tensor]
Measure = Callable[..., Any]
Saver = Callable[[str, Tensor], Path]
Trials = Callable[..., Trial]


def _network(tiny: PublishedWeights) -> Any:
    kind = EXTRACTORS[INCEPTION]
    return load_extractor(kind, find_weights(tiny, None), torch.device("cpu")).network


def _moments(tiny: PublishedWeights, images: Tensor) -> Moments:
    return Moments.of(_network(tiny)(images)[0].detach())


def _fid(measure: Measure, against: Path | str, samples: Tensor, **options: Any) -> Any:
    return measure([FrechetInception(against=str(against), **options)], samples)["fid"]


def test_a_folder_and_a_zip_and_moments_of_the_same_images_agree(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    tmp_path: Path,
) -> None:
    real, samples = photos(150, 2), photos(64, 1)
    folder = save_folder("real", real)
    with zipfile.ZipFile(tmp_path / "real.zip", "w") as archive:
        archive.writestr("dataset.json", "{}")
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder))
    moments = _moments(tiny, real)
    np.savez(tmp_path / "edm.npz", mu=moments.mean, sigma=moments.covariance)
    pool = _network(tiny)(real)[0].detach().numpy()
    np.savez(tmp_path / "score_sde.npz", pool_3=pool, logits=np.zeros((150, 10)))
    names = ("real", "real.zip", "edm.npz", "score_sde.npz")
    found = [_fid(measure, tmp_path / name, samples) for name in names]
    assert len({number.reference for number in found}) == 4
    known = found[0].value
    assert [number.value for number in found[:3]] == pytest.approx([known] * 3, rel=1e-12)
    # Activations are kept in float32.
    assert found[3].value == pytest.approx(known, rel=1e-6)
    prc = measure([PrecisionRecall(against=str(tmp_path / "score_sde.npz"))], samples)
    other = measure([PrecisionRecall(against=str(folder))], samples)
    assert prc["precision"].value == other["precision"].value


def test_computed_once_and_found_by_content(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    cache: Path,
    tmp_path: Path,
) -> None:
    folder, samples = save_folder("real", photos(100, 2)), photos(64, 1)
    first = _fid(measure, folder, samples)
    (file,) = (cache / "references").glob("*.safetensors")
    assert not list(file.parent.glob(".*"))  # nothing half-written is left
    moved = folder.rename(tmp_path / "elsewhere")
    seen = _network(tiny).seen
    seen.clear()
    assert _fid(measure, moved, samples) == first
    assert sum(seen) <= 64
    next(moved.rglob("*.png")).write_bytes(_png(photos(1, 9)[0]))
    changed = _fid(measure, moved, samples)
    assert changed.reference != first.reference
    assert changed.value != first.value
    assert len(list(file.parent.glob("*.safetensors"))) == 2


def _png(image: Tensor) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(buffer, "png")
    return buffer.getvalue()


def test_a_damaged_cache_says_to_delete_it(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver, cache: Path
) -> None:
    from bench_plugins.fidelity.reference import _load_cached

    folder, samples = save_folder("real", photos(70, 2)), photos(64, 1)
    _fid(measure, folder, samples)
    (file,) = (cache / "references").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    _load_cached.cache_clear()
    with pytest.raises(BenchError, match=r"is damaged .* delete it"):
        _fid(measure, folder, samples)


def test_a_cache_of_other_images_or_numbers_is_told(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver, cache: Path
) -> None:
    from bench_plugins.fidelity.reference import _features, _load_cached

    one, two = save_folder("one", photos(70, 2)), save_folder("two", photos(70, 3))
    samples = photos(64, 1)

    def computed(folder: Path) -> Path:
        before = set(cache.rglob("*.safetensors"))
        _fid(measure, folder, samples)
        (file,) = set(cache.rglob("*.safetensors")) - before
        return file

    first, second = computed(one), computed(two)
    whole = first.read_bytes()
    first.write_bytes(second.read_bytes())
    _load_cached.cache_clear()
    with pytest.raises(BenchError, match=r"is damaged \(it was computed of other images, or with"):
        _fid(measure, one, samples)
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    start = 8 + int.from_bytes(whole[:8], "little")
    for name in ("mean", "covariance", "size", "conversions", "features"):
        bad = bytearray(whole)
        bad[start + header[name]["data_offsets"][0]] ^= 1
        first.write_bytes(bad)
        _load_cached.cache_clear()
        _features.cache_clear()
        with pytest.raises(BenchError, match=f"'{name}' is not what was written"):
            measure([KernelInception(against=str(one), subset_size=20)], samples)


def test_a_full_disk_is_told_and_leaves_nothing(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver, cache: Path
) -> None:
    resource = pytest.importorskip("resource")
    folder, samples = save_folder("real", photos(70, 2)), photos(64, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(BenchError, match=r"cannot be written .*make room, or set BENCH_CACHE"):
            _fid(measure, folder, samples)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.suffix for path in (cache / "references").iterdir()} == {".lock"}
    assert _fid(measure, folder, samples).value > 0


def _npz_of(header: str) -> bytes:
    """An .npz whose `mu` and `sigma` have this header, and no numbers."""
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", 119) + header.encode().ljust(118) + b"\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mu.npy", array)
        archive.writestr("sigma.npy", array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind", ["garbled", "huge", "endless", "deep", "method", "encrypted", "words"]
)
def test_hostile_statistics_end_in_one_line(
    kind: str, tiny: PublishedWeights, photos: Photos, trial_of: Trials, tmp_path: Path
) -> None:
    file = tmp_path / "a.npz"
    shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,)}"
    np.savez_compressed(file, mu=np.zeros(16), sigma=np.eye(16))
    whole = bytearray(file.read_bytes())
    data, entry = whole.index(b"mu.npy") + 6, whole.index(b"PK\1\2")
    if kind == "garbled":
        whole[data + 30 : data + 40] = b"\xff" * 10
    elif kind == "method":
        whole[8] = whole[entry + 10] = 99
    elif kind == "encrypted":
        whole[6] |= 1
        whole[entry + 8] |= 1
    else:
        headers = {"huge": shape % 10**13, "endless": shape % 10**25, "deep": "(" * 100}
        whole = bytearray(_npz_of(headers.get(kind, "no header")))
    file.write_bytes(whole)
    with pytest.raises(BenchError, match=r"a\.npz: is damaged or no plain \.npz") as caught:
        FrechetInception(against=str(file)).start(trial_of(photos(64, 1)))
    assert "\n" not in str(caught.value)
    with pytest.raises(BenchError, match=r"a\.npz: is damaged or holds no plain arrays"):
        load_tensors(file)


def test_moments_alone_are_not_enough_for_features(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, tmp_path: Path
) -> None:
    moments = _moments(tiny, photos(50, 2))
    np.savez(tmp_path / "edm.npz", mu=moments.mean, sigma=moments.covariance)
    against = str(tmp_path / "edm.npz")
    trial = trial_of(photos(64, 1))
    for metric in (
        KernelInception(against=against, subset_size=10),
        PrecisionRecall(against=against),
    ):
        with pytest.raises(UnsupportedError, match="the mean and covariance alone"):
            metric.start(trial)


def test_subsets_larger_than_the_reference_are_unsupported(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, save_folder: Saver
) -> None:
    against = str(save_folder("real", photos(20, 2)))
    with pytest.raises(UnsupportedError, match="lower subset_size"):
        KernelInception(against=against, subset_size=30).start(trial_of(photos(64, 1)))
    with pytest.raises(UnsupportedError, match="at least 1000 samples"):
        KernelInception(against=against).start(trial_of(photos(64, 1)))


def test_images_of_another_size_are_unsupported(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, save_folder: Saver
) -> None:
    against = str(save_folder("real", photos(20, 2, 24)))
    with pytest.raises(UnsupportedError, match="are 24x24, those of the model 16x16"):
        FrechetInception(against=against).start(trial_of(photos(64, 1)))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mu": np.zeros(3), "sigma": np.eye(3)}, "the extractor has 16 features"),
        ({"mu": np.zeros(16), "sigma": np.eye(16) * np.nan}, "other things than finite numbers"),
        ({"mu": np.zeros(16), "sigma": np.triu(np.ones((16, 16)))}, "not symmetric"),
        ({"mu": np.array([{}] * 16), "sigma": np.eye(16)}, "damaged or no plain"),
        ({"pool_3": np.zeros((5, 7))}, r"pool_3 has shape \(5, 7\)"),
        ({"images": np.zeros(4)}, "holds neither `mu` and `sigma` nor `pool_3`, but images"),
    ],
)
def test_other_statistics_are_refused(
    arrays: dict[str, Any],
    message: str,
    tiny: PublishedWeights,
    photos: Photos,
    trial_of: Trials,
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BenchError, match=message):
        FrechetInception(against=str(tmp_path / "a.npz")).start(trial_of(photos(64, 1)))


def test_bad_files_are_named(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, save_folder: Saver, tmp_path: Path
) -> None:
    trial = trial_of(photos(64, 1))

    def refusal(against: Path | str) -> str:
        with pytest.raises(BenchError) as caught:
            FrechetInception(against=str(against)).start(trial)
        return str(caught.value)

    assert "there is no such file or folder" in refusal(tmp_path / "nowhere")
    assert "there is no such file or folder" in refusal("a" * 5000)
    (tmp_path / "empty").mkdir()
    assert "holds no images" in refusal(tmp_path / "empty")
    (tmp_path / "a.pkl").write_bytes(b"1")
    assert "unknown kind of file" in refusal(tmp_path / "a.pkl")
    for name in ("a.zip", "a.npz"):
        (tmp_path / name).write_bytes(b"PK\3\4 cut off")
        assert name in refusal(tmp_path / name)
    folder = save_folder("real", photos(9, 2))
    file = folder / "000" / "00003.png"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert "00003.png: is damaged" in refusal(folder)
    file.write_bytes(b"no image")
    assert "00003.png: is no image" in refusal(folder)
    Image.fromarray(np.zeros((16, 16), dtype=np.float32)).save(file, "tiff")
    assert "00003.png: has pixels of mode F and 32 bits" in refusal(folder)
    file.write_bytes(_png(photos(1, 1, 20)[0]))
    assert "different sizes: number 3" in refusal(folder)
    file.unlink()
    assert FrechetInception(against=str(folder)).start(trial)


class _Set:
    def __init__(self, images: Tensor) -> None:
        self.data, self.calls = images.numpy(), 0

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, i: int) -> Tensor:
        return torch.from_numpy(self.data[i])


def test_a_data_set_of_torchvision(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    real, samples, asked = photos(80, 2), photos(64, 1), []

    def make(root: str, download: bool) -> _Set:
        asked.append((root, download))
        return _Set(real)

    monkeypatch.setitem(DATASETS_REGISTRY, "cifar10-train", make)
    sources._dataset.cache_clear()
    found = _fid(measure, "cifar10-train", samples, root=str(tmp_path))
    sources._dataset.cache_clear()
    assert found.value == _fid(measure, save_folder("real", real), samples).value
    assert asked == [(str(tmp_path), False)]


def test_the_data_sets_are_those_of_torch_fidelity() -> None:
    assert set(sources.DATASETS) <= DATASETS_REGISTRY.keys()


def test_a_data_set_is_not_downloaded_unless_asked(
    tiny: PublishedWeights, photos: Photos, trial_of: Trials, cache: Path
) -> None:
    sources._dataset.cache_clear()
    with pytest.raises(BenchError) as caught:
        FrechetInception(against="cifar10-train").start(trial_of(photos(64, 1)))
    assert str(cache / "datasets") in str(caught.value)
    assert "download: true" in str(caught.value)


def test_grey_files_and_palettes_become_rgb(
    tiny: PublishedWeights, photos: Photos, measure: Measure, save_folder: Saver
) -> None:
    real, samples = photos(40, 2, 16, 1), photos(64, 1)
    grey = save_folder("grey", real)
    colour = save_folder("colour", real.expand(-1, 3, -1, -1))
    assert _fid(measure, grey, samples).value == _fid(measure, colour, samples).value


def test_a_sweep_factorises_the_reference_once(
    tiny: PublishedWeights,
    photos: Photos,
    measure: Measure,
    save_folder: Saver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def counted(covariance: Tensor) -> Tensor:
        calls.append(covariance)
        return root_factor(covariance)

    monkeypatch.setattr("bench_plugins.fidelity.reference.root_factor", counted)
    monkeypatch.setattr("bench.core.frechet.root_factor", counted)
    folder = save_folder("real", photos(70, 2))
    assert len({_fid(measure, folder, photos(64, seed)).value for seed in (1, 3, 4)}) == 3
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (FrechetInception, {"against": ""}),
        (FrechetInception, {"against": "a\0"}),
        (FrechetInception, {"root": ""}),
        (FrechetInception, {"weights": ""}),
        (FrechetInfinity, {"points": 1}),
        (FrechetInfinity, {"smallest": 1}),
        (FrechetInfinity, {"shuffle_seed": -1}),
        (KernelInception, {"subsets": 0}),
        (KernelInception, {"subset_size": 1}),
        (KernelInception, {"subset_seed": 2**32}),
        (InceptionScore, {"splits": 0}),
        (InceptionScore, {"shuffle_seed": 2**32}),
        (PrecisionRecall, {"neighbours": 0}),
    ],
)
def test_bad_parameters_are_refused(cls: type[Plugin], params: dict[str, Any]) -> None:
    against = {} if cls is InceptionScore else {"against": "real"}
    build(cls, against)
    with pytest.raises(BenchError, match=next(iter(params))):
        build(cls, against | params)


def test_no_data_set_is_downloaded_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_fidelity.registry import DATASETS_REGISTRY

    asked: list[bool] = []

    def empty(root: str, download: bool) -> object:
        asked.append(download)
        raise RuntimeError("not found")

    monkeypatch.setitem(DATASETS_REGISTRY, "cifar10-val", empty)
    for variable in ("1", ""):
        monkeypatch.setenv("BENCH_OFFLINE", variable)
        with pytest.raises(BenchError, match="data set 'cifar10-val'"):
            open_source("cifar10-val", str(tmp_path), download=True)
    assert asked == [False, True]
