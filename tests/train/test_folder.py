"""Folders and .zip files of images."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.api import BenchError
from bench_train.folder import image_folder
from bench_train.options.data import DataOptions
from bench_train.sources import read_data


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three colour images of two classes to train on, two to test."""
    rng = np.random.default_rng(0)
    path = tmp_path / "pets"
    for name in ("train/dog/1.png", "train/cat/2.png", "train/cat/10.png"):
        _write(path / name, rng.integers(0, 256, (4, 6, 3), dtype=np.uint8))
    for name in ("test/dog/1.png", "test/cat/2.png"):
        _write(path / name, rng.integers(0, 256, (4, 6, 3), dtype=np.uint8))
    (path / "train" / "cat" / "notes.txt").write_text("no image")
    (path / "README").write_text("no image")
    return path


def test_images_are_in_the_order_of_class_and_name(folder: Path) -> None:
    split = image_folder(folder)
    assert split.name == "pets"
    assert split.levels == 256
    assert split.train.samples.shape == (3, 3, 4, 6)
    assert split.train.samples.dtype is torch.uint8
    assert split.train.labels is not None
    assert split.train.labels.tolist() == [0, 0, 1]  # cat, cat, dog
    assert split.training.classes == 2
    first = np.asarray(Image.open(folder / "train/cat/10.png")).transpose(2, 0, 1)
    assert np.array_equal(split.train.samples[0].numpy(), first)
    assert split.test.labels is not None
    assert split.test.labels.tolist() == [0, 1]


def test_a_zip_file_is_the_same(folder: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "pets"), "zip", folder))
    one, other = image_folder(folder), image_folder(archive)
    for part in ("train", "test"):
        assert torch.equal(getattr(one, part).samples, getattr(other, part).samples)
        assert torch.equal(getattr(one, part).labels, getattr(other, part).labels)
    assert one.training.digest == other.training.digest


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    for part in ("train", "test"):
        _write(tmp_path / part / "a" / "1.png", np.full((4, 4), 7, dtype=np.uint8))
    split = image_folder(tmp_path)
    assert split.train.samples.shape == (1, 1, 4, 4)
    assert int(split.train.samples.max()) == 7


def test_name_and_licence_are_options(folder: Path) -> None:
    split = read_data(DataOptions(str(folder), name="my_pets", licence="mine"))
    assert (split.name, split.licence) == ("my_pets", "mine")
    assert split.training.name == "my_pets"
    plain = read_data(DataOptions(str(folder)))
    assert (plain.name, plain.licence) == ("pets", "that of pets")
    with pytest.raises(BenchError, match="--name and --licence: data 'digits' have their own"):
        read_data(DataOptions("digits", name="numbers"))


def test_other_layouts_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no images train/CLASS/NAME; lay it out as"):
        image_folder(tmp_path)
    shutil.rmtree(folder / "test")
    with pytest.raises(BenchError, match=r"no images test/CLASS/NAME"):
        image_folder(folder)


def test_missing_and_damaged_files_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"none\.zip: cannot read the images"):
        read_data(DataOptions(str(tmp_path / "none.zip")))
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    with pytest.raises(BenchError, match=r"bad\.zip: cannot read the images"):
        read_data(DataOptions(str(tmp_path / "bad.zip")))
    (folder / "train" / "cat" / "2.png").write_bytes(b"no image")
    with pytest.raises(BenchError, match=r"train/cat/2\.png is no image"):
        image_folder(folder)


def test_images_of_other_sizes_are_told(folder: Path) -> None:
    _write(folder / "test" / "cat" / "2.png", np.zeros((4, 6), dtype=np.uint8))
    with pytest.raises(BenchError, match=r"test/dog/1\.png has shape \(3, 4, 6\), test/cat/2\.png"):
        image_folder(folder)
    _write(folder / "test" / "dog" / "1.png", np.zeros((4, 6), dtype=np.uint8))
    with pytest.raises(BenchError, match="images of train and test differ in shape"):
        image_folder(folder)
