"""Operators against matrices, convolutions and transforms computed in other ways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor

from bench.api import (
    SHARD,
    BenchError,
    InverseProblem,
    LinearOperator,
    Observation,
    UnsupportedError,
)
from bench_plugins.tasks import (
    Colourisation,
    Deblurring,
    Inpainting,
    Linear,
    PhaseRetrieval,
    RandomLinear,
    SuperResolution,
)

CPU = torch.device("cpu")
POINT, GREY, COLOUR, WIDE = (8,), (1, 8, 8), (3, 8, 12), (2, 6, 4)

LINEAR: list[tuple[InverseProblem, tuple[int, ...]]] = [
    *((Inpainting(mask=m), s) for m in ("half", "box", "random") for s in (POINT, GREY, COLOUR)),
    (Inpainting(mask="random", hidden=0.9), POINT),
    (Colourisation(), COLOUR),
    *((SuperResolution(factor=k), s) for k in (2, 4) for s in (POINT, GREY, COLOUR)),
    *((Deblurring(width=w), s) for w in (0.5, 1.5) for s in (POINT, GREY, COLOUR, WIDE)),
    (Deblurring(width=3.0, cutoff=1e-8), (12,)),
    *((RandomLinear(rows=m), s) for m in (1, 5, 20) for s in (POINT, WIDE)),
]
NAMES = [f"{task.name}-{'x'.join(map(str, shape))}-{i}" for i, (task, shape) in enumerate(LINEAR)]


def _noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _operator(task: InverseProblem, shape: tuple[int, ...]) -> LinearOperator:
    operator = task.operator(shape, CPU, torch.float64)
    assert isinstance(operator, LinearOperator)
    return operator


def _matrix(operator: LinearOperator, shape: tuple[int, ...]) -> Tensor:
    """A in the operator's basis of observations, (m, d)."""
    d = math.prod(shape)
    return operator(torch.eye(d, dtype=torch.float64).reshape(d, *shape)).T


@pytest.mark.parametrize(("task", "shape"), LINEAR, ids=NAMES)
def test_the_singular_values_are_numpys(task: InverseProblem, shape: tuple[int, ...]) -> None:
    operator = _operator(task, shape)
    matrix = _matrix(operator, shape).numpy()
    found = np.linalg.svd(matrix, compute_uv=False)
    expected = np.sort(operator.values.numpy())[::-1]
    assert len(expected) == matrix.shape[0] <= matrix.shape[1]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    # Rows are orthogonal: the observation is kept in the basis of the left singular vectors.
    np.testing.assert_allclose(matrix @ matrix.T, np.diag(operator.values.numpy() ** 2), atol=1e-12)


@pytest.mark.parametrize(("task", "shape"), LINEAR, ids=NAMES)
def test_the_adjoint_is_the_adjoint(task: InverseProblem, shape: tuple[int, ...]) -> None:
    operator = _operator(task, shape)
    x, z = _noise(5, *shape), _noise(5, len(operator.values), seed=1)
    one = (operator(x) * z).sum(1)
    other = (x * operator.adjoint(z)).flatten(1).sum(1)
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("task", "shape"), LINEAR, ids=NAMES)
def test_the_pseudo_inverse_is_numpys(task: InverseProblem, shape: tuple[int, ...]) -> None:
    operator = _operator(task, shape)
    inverse = np.linalg.pinv(_matrix(operator, shape).numpy(), rcond=1e-12)
    z = _noise(3, len(operator.values))
    expected = torch.from_numpy(z.numpy() @ inverse.T).reshape(3, *shape)
    scale = float(expected.abs().max())
    torch.testing.assert_close(operator.pinv(z) / scale, expected / scale, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("task", "shape"), LINEAR, ids=NAMES)
def test_a_row_is_the_same_in_every_batch(task: InverseProblem, shape: tuple[int, ...]) -> None:
    operator = task.operator(shape, CPU, torch.float32)
    assert isinstance(operator, LinearOperator)
    x = _noise(2 * SHARD + 3, *shape).float()
    for rows in (slice(0, 1), slice(1, 4), slice(SHARD - 1, SHARD + 8)):
        assert torch.equal(operator(x)[rows], operator(x[rows]))
        z = operator(x)
        assert torch.equal(operator.adjoint(z)[rows], operator.adjoint(z[rows]))


def _rotation(seen: Tensor, true: Tensor) -> None:
    """``seen`` (n, m) is ``true`` (n, m') up to a rotation: all inner products are the same."""
    torch.testing.assert_close(seen @ seen.T, true @ true.T, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [POINT, GREY, COLOUR])
def test_super_resolution_averages_blocks(shape: tuple[int, ...]) -> None:
    x = _noise(6, *shape)
    if len(shape) == 1:
        pooled = torch.nn.functional.avg_pool1d(x[:, None], 4)
    else:
        pooled = torch.nn.functional.avg_pool2d(x, 4)
    operator = _operator(SuperResolution(factor=4), shape)
    torch.testing.assert_close(operator(x), pooled.flatten(1))
    shown = operator.show(operator(x))
    assert shown is not None
    torch.testing.assert_close(shown.flatten(1).sum(1), x.flatten(1).sum(1))


def test_colourisation_keeps_the_grey_value() -> None:
    x, operator = _noise(6, *COLOUR), _operator(Colourisation(), COLOUR)
    torch.testing.assert_close(operator(x), x.mean(1).flatten(1) * math.sqrt(3))
    shown = operator.pinv(operator(x))
    torch.testing.assert_close(shown, x.mean(1, keepdim=True).expand_as(x).contiguous())


@pytest.mark.parametrize("width", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("shape", [(9,), (1, 9, 9), (3, 8, 12)])
def test_the_blur_is_scipys_up_to_a_rotation(width: float, shape: tuple[int, ...]) -> None:
    x = _noise(6, *shape)
    axes = tuple(range(x.ndim))[-min(2, len(shape)) :]
    blurred = torch.from_numpy(
        scipy.ndimage.gaussian_filter(x.numpy(), width, axes=axes, mode="reflect", truncate=4.0)
    )
    operator = _operator(Deblurring(width=width, cutoff=1e-12), shape)
    _rotation(operator(x), blurred.flatten(1))
    shown = operator.show(operator(x))
    assert shown is not None
    torch.testing.assert_close(shown, blurred, rtol=1e-8, atol=1e-8)


def test_the_blur_leaves_out_what_it_has_nearly_erased() -> None:
    x = _noise(4, *GREY)
    whole = _operator(Deblurring(width=2.0, cutoff=1e-12), GREY)
    part = _operator(Deblurring(width=2.0, cutoff=0.01), GREY)
    assert len(part.values) < len(whole.values)
    assert part.values.min() > 0.01 * part.values.max()
    gap = whole(x).square().sum(1) - part(x).square().sum(1)
    assert (gap >= 0).all()
    assert (gap <= 0.01**2 * x.flatten(1).square().sum(1)).all()


def test_a_random_matrix_is_the_one_that_was_drawn() -> None:
    """Entries N(0, 1/d): the sum of the squared singular values is m in the mean."""
    sums = [
        float(_operator(RandomLinear(rows=10, task_seed=i), (20,)).values.square().sum())
        for i in range(40)
    ]
    # Its variance is 2 m / d.
    assert np.mean(sums) == pytest.approx(10, abs=4 * math.sqrt(2 * 10 / 20 / 40))


def test_both_splits_have_one_operator() -> None:
    for kind in (RandomLinear, Inpainting):
        one, other = kind(split="test"), kind(split="validation")
        x = _noise(3, *POINT)
        assert torch.equal(_operator(one, POINT)(x), _operator(other, POINT)(x))
    a, b = RandomLinear(task_seed=0), RandomLinear(task_seed=1)
    assert not torch.equal(_operator(a, POINT)(x), _operator(b, POINT)(x))


def _write(path: Path, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    np.save(path, matrix)
    return str(path)


@pytest.mark.parametrize("rank", [3, 5])
def test_a_matrix_of_a_file_is_applied_up_to_a_rotation(tmp_path: Path, rank: int) -> None:
    matrix = _noise(5, rank) @ _noise(rank, 8, seed=1)
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        if path.suffix == ".npz":
            np.savez(path, own=matrix.numpy())
        else:
            np.save(path, matrix.numpy())
        operator = _operator(Linear(matrix=str(path)), (2, 2, 2))
        assert len(operator.values) == rank
        x = _noise(6, 2, 2, 2, seed=2)
        _rotation(operator(x), x.flatten(1) @ matrix.T)


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.ones((2, 5)), UnsupportedError, "5 columns, and the model's samples 8 entries"),
        (np.ones(8), BenchError, r"shape \(8,\)"),
        (np.zeros((2, 8)), BenchError, "zero or not finite"),
        (np.full((2, 8), np.nan), BenchError, "zero or not finite"),
    ],
)
def test_a_matrix_that_is_none_is_refused(
    tmp_path: Path, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    error: type[BenchError], message: str,
) -> None:  # fmt: skip
    task = Linear(matrix=_write(tmp_path / "a.npy", matrix))
    with pytest.raises(error, match=message):
        task.operator(POINT, CPU, torch.float64)


def test_two_matrices_in_a_file_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.ones((1, 8)), b=np.ones((1, 8)))
    with pytest.raises(BenchError, match="holds 2 arrays"):
        Linear(matrix=str(tmp_path / "a.npz")).operator(POINT, CPU, torch.float64)


def _transform(length: int, padded: int) -> Tensor:
    """The matrix of the orthonormal Fourier transform of a padded axis, (padded, length)."""
    k, i = torch.arange(padded, dtype=torch.float64), torch.arange(length, dtype=torch.float64)
    angle = -2 * math.pi / padded * torch.outer(k, i)
    return torch.polar(torch.ones_like(angle), angle) / math.sqrt(padded)


@pytest.mark.parametrize("shape", [(5,), (2, 4, 3)])
@pytest.mark.parametrize("factor", [1, 2])
def test_the_modulus_is_that_of_an_explicit_transform(shape: tuple[int, ...], factor: int) -> None:
    x = _noise(4, *shape)
    operator = PhaseRetrieval(oversampling=factor).operator(shape, CPU, torch.float64)
    planes = x.reshape(4, -1, *((1, *shape)[-2:] if len(shape) == 1 else shape[-2:]))
    planes = planes.to(torch.complex128)
    h, w = planes.shape[-2:]
    rows = _transform(h, factor * h if len(shape) > 1 else 1)
    waves = rows @ x.reshape(planes.shape).to(torch.complex128) @ _transform(w, factor * w).T
    torch.testing.assert_close(operator(x), waves.abs().flatten(1))
    torch.testing.assert_close(operator(-x), operator(x))
    turned = x.flip(tuple(range(max(1, x.ndim - 2), x.ndim)))
    torch.testing.assert_close(operator(turned), operator(x))


def test_the_modulus_has_no_matrix_and_keeps_the_norm() -> None:
    x = _noise(4, *GREY)
    operator = PhaseRetrieval().operator(GREY, CPU, torch.float64)
    torch.testing.assert_close(operator(x).square().sum(1), x.flatten(1).square().sum(1))
    assert operator.show(operator(x)) is None
    with pytest.raises(UnsupportedError, match="linear"):
        _ = Observation(operator, operator(x), 0.1).linear


@pytest.mark.parametrize(
    ("task", "shape", "message"),
    [
        (Colourisation(), GREY, "3 channels"),
        (Colourisation(), POINT, "3 channels"),
        (SuperResolution(factor=3), GREY, "do not divide"),
        (Deblurring(), (1,), "one number"),
        (Inpainting(mask="half"), (1,), "hides 1 of 1 pixels"),
        (Inpainting(mask="box"), (2,), "hides 2 of 2 pixels"),
    ],
)
def test_a_task_without_meaning_is_refused(
    task: InverseProblem, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message):
        task.operator(shape, CPU, torch.float64)


@pytest.mark.parametrize("hidden", [0.01, 0.25, 0.5, 0.99])
def test_a_random_mask_hides_the_share(hidden: float) -> None:
    operator = _operator(Inpainting(mask="random", hidden=hidden), GREY)
    expected = min(max(round(hidden * 64), 1), 63)
    assert 64 - len(operator.values) == expected


@pytest.mark.parametrize(("mask", "gone"), [("half", 32), ("box", 16)])
def test_all_channels_of_a_pixel_share_their_fate(mask: str, gone: int) -> None:
    task = Inpainting(mask=mask)  # type: ignore[arg-type]
    operator = _operator(task, (3, 8, 8))
    seen = operator.pinv(operator(torch.ones(1, 3, 8, 8, dtype=torch.float64)))[0]
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])
    assert int((seen[0] == 0).sum()) == gone


BAD: Sequence[tuple[type[InverseProblem], dict[str, object]]] = [
    (Inpainting, {"hidden": 1.0}),
    (SuperResolution, {"factor": 1}),
    (Deblurring, {"width": 0.0}),
    (Deblurring, {"cutoff": 1.0}),
    (RandomLinear, {"rows": 0}),
    (Linear, {"matrix": ""}),
    (PhaseRetrieval, {"oversampling": 0}),
    (SuperResolution, {"noise": -1.0}),
    (SuperResolution, {"draws": 0}),
]


@pytest.mark.parametrize(("kind", "parameters"), BAD)
def test_bad_parameters_are_refused(
    kind: type[InverseProblem], parameters: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="must"):
        kind(**parameters)  # type: ignore[arg-type]
