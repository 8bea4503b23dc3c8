"""Closed forms and shipped networks as denoisers, and the files that they are read from."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file

import bench_plugins.metrics
from bench.api import BenchError, Model
from bench.files.contents import contents
from bench_plugins.models.empirical import Empirical, Points
from bench_plugins.models.pretrained import DATA, DigitsMlp, MnistUnet, Trained

CPU = torch.device("cpu")
SHIPPED: list[Model] = [DigitsMlp(), MnistUnet()]


def _data(n: int = 20, d: int = 6) -> torch.Tensor:
    return torch.randint(0, 4, (n, d), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.mark.parametrize("s", [0.01, 0.3, 1.0, 30.0])
def test_ideal_denoiser_equals_a_loop(s: float) -> None:
    data = _data().double() * 0.5 - 0.75
    generator = torch.Generator().manual_seed(1)
    y = data[:5] + s * torch.randn(5, 6, generator=generator, dtype=torch.float64)
    points = Points(data, (6,))
    found = points.denoise(y, torch.tensor(s, dtype=torch.float64))
    density = points.log_prob(y, s)
    for i in range(5):
        distances = [
            math.fsum((float(a) - float(b)) ** 2 for a, b in zip(y[i], x, strict=True))
            for x in data
        ]
        nearest = min(distances)
        weights = [math.exp(-(r - nearest) / (2 * s * s)) for r in distances]
        total = math.fsum(weights)
        for j in range(6):
            mean = math.fsum(w * float(x[j]) for w, x in zip(weights, data, strict=True)) / total
            assert float(found[i, j]) == pytest.approx(mean, abs=1e-9)
        expected = math.log(total / 20) - nearest / (2 * s * s)
        expected -= 6 * math.log(s * math.sqrt(2 * math.pi))
        assert float(density[i]) == pytest.approx(expected, rel=1e-9)


def test_ideal_denoiser_takes_a_level_for_each_row() -> None:
    points = Points(_data().double(), (6,))
    y = torch.randn(3, 6, generator=torch.Generator().manual_seed(1)).double()
    s = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    rows = [points.denoise(y[i : i + 1], s[i]) for i in range(3)]
    assert torch.allclose(points.denoise(y, s), torch.cat(rows), atol=1e-12)


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
def test_data_are_read_from_any_plain_file(kind: str, tmp_path: Path) -> None:
    path, data = tmp_path / f"data.{kind}", _data()
    if kind == "npy":
        np.save(path, data.numpy())
    elif kind == "npz":
        np.savez(path, samples=data.numpy())
    else:
        save_file({"samples": data}, path)
    model = Empirical(data=str(path), levels=4).load(CPU, torch.float64)
    assert model.shape == (6,)
    assert model.weights == hashlib.sha256(path.read_bytes()).hexdigest()
    d = model.denoiser(torch.zeros(1, 6).double(), torch.tensor(80.0).double())
    expected = ((data.double() + 0.5) / 2 - 1).mean(0)
    assert torch.allclose(d[0], expected, atol=1e-2)


def test_files_that_are_no_plain_data_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "pickle.npy"
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    other = tmp_path / "other.npz"
    np.savez(other, images=_data().numpy())
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(b"\x10\0\0\0")
    text = tmp_path / "data.csv"
    text.write_text("1,2", encoding="utf-8")
    for path, message in [
        (pickled, "damaged or holds no plain arrays"),
        (other, "no array 'samples'"),
        (cut, "damaged"),
        (text, "unknown kind of file"),
    ]:
        with pytest.raises(BenchError, match=message):
            Empirical(data=str(path)).load(CPU, torch.float32)
    with pytest.raises(BenchError, match="No such file"):
        contents(Empirical(data=str(tmp_path / "nowhere.npy")))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.full((2, 3), 0.5), "numbers from 0.5 to 0.5, not whole ones from 0 to 3"),
        (np.array([[0, 4]]), "numbers from 0 to 4, not whole ones from 0 to 3"),
        (np.array([[0, 1024]], dtype=np.uint16), "numbers from 0 to 1024"),
        (np.array([[-1, 3]]), "numbers from -1 to 3"),
        (np.array([[math.nan, 1]]), "not whole ones"),
        (np.array([[1j, 1]]), r"is complex128 \(1, 2\), not whole numbers"),
        (np.zeros((0, 3), dtype=np.uint8), r"is uint8 \(0, 3\)"),
        (np.array(2), r"is int64 \(\)"),
    ],
)
def test_data_that_are_no_levels_are_refused(
    samples: npt.NDArray[Any], words: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", samples)
    with pytest.raises(BenchError, match=rf"a\.npy: 'samples' .*{words}"):
        Empirical(data=str(tmp_path / "a.npy"), levels=4).load(CPU, torch.float32)


def test_whole_numbers_of_any_kind_are_levels(tmp_path: Path) -> None:
    y, s = torch.zeros(1, 6, dtype=torch.float64), torch.tensor(3.0, dtype=torch.float64)
    found = []
    for kind in (np.uint8, np.uint16, np.int64, np.float32):
        np.save(tmp_path / "a.npy", _data().numpy().astype(kind))
        model = Empirical(data=str(tmp_path / "a.npy"), levels=4).load(CPU, torch.float64)
        found.append(model.denoiser(y, s))
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_more_points_than_there_are_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", _data().numpy())
    count = len(_data())
    Empirical(data=str(tmp_path / "a.npy"), levels=4, points=count).load(CPU, torch.float32)
    model = Empirical(data=str(tmp_path / "a.npy"), levels=4, points=count + 1)
    with pytest.raises(BenchError, match=f"points: {count + 1} of the {count} data"):
        model.load(CPU, torch.float32)


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.name)
def test_shipped_models_denoise(model: Model) -> None:
    single, double = (model.load(CPU, dtype) for dtype in (torch.float32, torch.float64))
    discrete = single.target.discrete
    assert discrete is not None
    held_out = discrete.held_out()
    assert held_out.dtype == torch.uint8
    assert tuple(held_out.shape[1:]) == single.shape
    assert int(held_out.max()) < discrete.levels
    x = (held_out[:8].double() + 0.5) * (2 / discrete.levels) - 1
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for s in (single.s_min, 0.1, 1.0, 10.0, single.s_max):
        level = torch.tensor(s, dtype=torch.float64)
        with torch.no_grad():
            d = double.denoiser(x + s * noise, level)
            low = single.denoiser((x + s * noise).float(), level.float())
        assert d.shape == x.shape
        assert d.dtype == torch.float64
        assert torch.allclose(low.double(), d, atol=2e-3)
        rms = float((d - x).square().mean().sqrt())
        if s == single.s_min:
            assert rms < 3 * s  # hardly any noise to remove
        if s == single.s_max:
            # Nothing to be seen but noise: the mean of the data.
            mean = ((held_out.double() + 0.5) * (2 / discrete.levels) - 1).mean(0)
            assert float((d - mean).square().mean().sqrt()) < 0.1
        if s == 0.1:
            assert rms < s  # better than leaving it


@pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model.name)
def test_shipped_weights_are_named_by_their_hash_and_load_alike(model: Model) -> None:
    one, two = model.load(CPU, torch.float32), model.load(CPU, torch.float32)
    file = DATA / f"{model.name}.safetensors"
    assert one.weights == hashlib.sha256(file.read_bytes()).hexdigest() == two.weights
    y = torch.randn(4, *one.shape, generator=torch.Generator().manual_seed(0))
    s = torch.tensor(1.0)
    with torch.no_grad():
        assert torch.equal(one.denoiser(y, s), two.denoiser(y, s))
        rows = one.denoiser(y, torch.full((4,), 1.0))
        assert torch.allclose(rows, one.denoiser(y, s), atol=1e-5)


def test_weights_of_ones_own_are_the_same_network(tmp_path: Path) -> None:
    content = (DATA / "digits_mlp.safetensors").read_bytes()
    mine = tmp_path / "weights.safetensors"
    mine.write_bytes(content)
    model = Trained(str(mine))
    loaded, known = (m.load(CPU, torch.float32) for m in (model, DigitsMlp()))
    assert "sha256:" + loaded.weights == "sha256:" + known.weights == contents(model)["weights"]
    assert loaded.shape == known.shape == (1, 8, 8)
    y = torch.ones(3, 1, 8, 8)
    assert torch.equal(loaded.denoiser(y, torch.tensor(1.0)), known.denoiser(y, torch.tensor(1.0)))


def test_weights_that_are_no_score_model_are_refused(tmp_path: Path) -> None:
    data = Path(bench_plugins.metrics.__file__).parent / "data"
    classifier = data / "digits_classifier.safetensors"
    with pytest.raises(BenchError, match="holds a classifier, not a score model"):
        Trained(str(classifier)).load(CPU, torch.float32)
    with pytest.raises(BenchError, match="fetch it and put it there"):
        contents(Trained(str(tmp_path / "none.safetensors")))
