"""Training data: scikit-learn's digits, MNIST, or a file of arrays."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch

from bench.api import BenchError
from bench_train.exact import EXACT, exact_samples
from bench_train.folder import image_folder
from bench_train.options.data import DataOptions
from bench_train.split import DataSplit, Labelled

MNIST_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
MNIST_LICENCE = "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0"
DIGITS_LICENCE = (
    "Optical Recognition of Handwritten Digits: E. Alpaydin, C. Kaynak 1998, UCI repository; "
    "CC BY 4.0; test part, as in scikit-learn's load_digits"
)


def read_data(options: DataOptions) -> DataSplit:
    """Return the data that `options` name.

    Raises:
        BenchError: they cannot be had.
    """
    if options.data in ("digits", "mnist"):
        if options.name or options.licence:
            raise BenchError(
                f"--name and --licence: data '{options.data}' have their own; leave them out"
            )
        return digits() if options.data == "digits" else mnist(options.data_dir)
    if options.data.startswith(EXACT):
        if options.name or options.licence:
            raise BenchError(f"--name and --licence: '{options.data}' has its own; leave them out")
        return exact_samples(options.data.removeprefix(EXACT))
    path = Path(options.data)
    folder = path.is_dir() or path.suffix == ".zip"
    split = image_folder(path) if folder else array_file(path, options.levels)
    licence = options.licence or split.licence
    return replace(split, name=options.name or split.name, licence=licence)


def digits() -> DataSplit:
    """scikit-learn's 1,797 digits of 8x8 pixels, values 0..16; a fixed 360 of them are the test.

    Raises BenchError where scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise BenchError(
            "data 'digits' come with scikit-learn, which is not installed; "
            "run: pip install 'scorebench[train]'"
        ) from error
    images, labels = load_digits(return_X_y=True)
    rows_train, rows_test = train_test_split(
        np.arange(len(labels)), test_size=360, random_state=0, stratify=labels
    )
    samples = images.reshape(-1, 1, 8, 8)
    train, test = (_with_labels(samples[rows], labels[rows]) for rows in (rows_train, rows_test))
    return DataSplit("digits", 17, DIGITS_LICENCE, train, test)


def mnist(folder: Path) -> DataSplit:
    """MNIST, 60,000 and 10,000 images of 28x28 bytes, downloaded into `folder` if need be.

    Raises BenchError where torchvision is missing or the download fails.
    """
    try:
        from torchvision.datasets import MNIST
    except ImportError as error:
        raise BenchError(
            "data 'mnist' are read by torchvision, which is not installed; "
            "run: pip install 'scorebench[train]'"
        ) from error
    try:
        train, test = (MNIST(str(folder), train=part, download=True) for part in (True, False))
    except (URLError, RuntimeError, OSError) as error:
        raise BenchError(
            f"data 'mnist': the download failed ({error}); fetch {', '.join(MNIST_FILES)} from "
            f"{MNIST.mirrors[0]} and put them into {folder / 'MNIST' / 'raw'}, or pass an .npz "
            "file with x_train and x_test to --data"
        ) from error
    of_train, of_test = (
        Labelled(part.data[:, None].contiguous(), part.targets) for part in (train, test)
    )
    return DataSplit("mnist", 256, MNIST_LICENCE, of_train, of_test)


def array_file(path: Path, levels: int) -> DataSplit:
    """An .npz file with `x_train`, `x_test` and perhaps `y_train`, `y_test`.

    Samples are integers 0 .. levels - 1 of shape (n, height, width) or (n, channels, height,
    width). Raises BenchError where the file does not hold that.
    """
    arrays = _read_arrays(path)
    missing = {"x_train", "x_test"} - arrays.keys()
    if missing:
        raise BenchError(
            f"{path}: no array {' or '.join(sorted(missing))}, found {sorted(arrays)}; "
            "save it with numpy.savez_compressed(path, x_train=..., x_test=...)"
        )
    for name in ("x_train", "x_test"):
        _check_levels(path, name, arrays[name], levels)
    for part in ("train", "test"):
        if f"y_{part}" in arrays:
            _check_labels(path, f"y_{part}", arrays[f"y_{part}"], len(arrays[f"x_{part}"]))
    train, test = (
        _with_labels(_with_channel(arrays[f"x_{part}"]), arrays.get(f"y_{part}"))
        for part in ("train", "test")
    )
    return DataSplit(path.stem, levels, f"that of {path.name}", train, test)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BenchError(
            f"{path}: cannot read the data ({error}); --data takes 'digits', 'mnist', an .npz "
            "file, or a folder or .zip file of images"
        ) from error


def _check_levels(path: Path, name: str, samples: np.ndarray, levels: int) -> None:
    if samples.ndim not in (3, 4) or len(samples) == 0:
        raise BenchError(
            f"{path}: {name} has shape {samples.shape}; it must be (n, height, width) or "
            "(n, channels, height, width)"
        )
    whole = np.array_equal(samples, np.floor(samples))
    if not whole or samples.min() < 0 or samples.max() > levels - 1 or levels > 256:
        raise BenchError(
            f"{path}: {name} must hold integers from 0 to {min(levels, 256) - 1}, found "
            f"{samples.min()} to {samples.max()}; rescale it, or give --levels (256 at most)"
        )


def _check_labels(path: Path, name: str, labels: np.ndarray, n: int) -> None:
    if labels.shape != (n,) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise BenchError(
            f"{path}: {name} is {labels.dtype} {labels.shape}; it must hold the {n} classes of "
            f"x_{name[2:]}, whole numbers from 0 on"
        )


def _with_channel(samples: np.ndarray) -> np.ndarray:
    return samples[:, None] if samples.ndim == 3 else samples


def _with_labels(samples: np.ndarray, labels: np.ndarray | None) -> Labelled:
    images = torch.from_numpy(np.ascontiguousarray(samples.astype(np.uint8)))
    return Labelled(images, None if labels is None else torch.from_numpy(labels.astype(np.int64)))
