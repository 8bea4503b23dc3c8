"""Where data come from, and what is said when they do not."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from bench.api import BenchError
from bench_train.sources import array_file, digits, mnist


def test_digits_are_split_without_overlap() -> None:
    split = digits()
    assert split.levels == 17
    assert split.train.samples.shape == (1437, 1, 8, 8)
    assert split.test.samples.shape == (360, 1, 8, 8)
    assert split.train.samples.dtype is torch.uint8
    assert int(split.train.samples.max()) == 16
    assert split.test.labels is not None
    assert split.test.labels.bincount().min() >= 34  # stratified
    known = {bytes(image.numpy().tobytes()) for image in split.train.samples}
    assert not any(bytes(image.numpy().tobytes()) in known for image in split.test.samples)


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(BenchError, match=r"scorebench\[train\]"):
        digits()


def test_mnist_without_torchvision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(BenchError, match=r"scorebench\[train\]"):
        mnist(tmp_path)


def test_mnist_offline_says_what_to_put_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("torchvision.datasets")

    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(datasets.MNIST, "download", offline)
    with pytest.raises(BenchError) as caught:
        mnist(tmp_path)
    assert "train-images-idx3-ubyte.gz" in str(caught.value)
    assert str(tmp_path / "MNIST" / "raw") in str(caught.value)


def test_array_file(array_path: Path) -> None:
    split = array_file(array_path, 8)
    assert split.name == "toy"
    assert split.train.samples.shape == (40, 1, 4, 4)
    assert split.test.labels is not None
    assert split.test.labels.tolist() == list(range(10))


def test_array_file_with_channels_and_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "colour.npz"
    np.savez(path, x_train=np.zeros((4, 3, 5, 6)), x_test=np.ones((2, 3, 5, 6)))
    split = array_file(path, 2)
    assert split.train.samples.shape == (4, 3, 5, 6)
    assert split.train.samples.dtype is torch.uint8
    assert split.train.labels is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": np.zeros((2, 4, 4))}, "no array x_test"),
        ({"x_train": np.zeros((2, 16)), "x_test": np.zeros((2, 16))}, "must be .n, height, width"),
        ({"x_train": np.full((2, 4, 4), 8), "x_test": np.zeros((2, 4, 4))}, "from 0 to 7"),
        ({"x_train": np.full((2, 4, 4), 0.5), "x_test": np.zeros((2, 4, 4))}, "integers"),
        ({"x_train": np.full((2, 4, 4), -1), "x_test": np.zeros((2, 4, 4))}, "from 0 to 7"),
    ],
    ids=["missing", "flat", "too large", "fractions", "negative"],
)
def test_array_files_that_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match=message):
        array_file(path, 8)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"no archive"])
def test_unreadable_array_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchError, match=r"cannot read the data.*'digits', 'mnist', an \.npz"):
        array_file(path, 8)


def test_objects_in_array_files_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, x_train=np.array([{}], dtype=object))
    with pytest.raises(BenchError, match="cannot read the data"):
        array_file(path, 8)
