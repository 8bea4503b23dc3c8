"""Interpolation of codes: great circles, norms, and ends that are the codes themselves."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from bench_plugins.latents.interpolation import heat, interpolate_linearly, slerp

WAYS = (slerp, interpolate_linearly)
SHARE = torch.linspace(0, 1, 7, dtype=torch.float64)


def _codes(n: int = 5, shape: tuple[int, ...] = (2, 3, 3)) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(0)
    a, b = (torch.randn(n, *shape, generator=draws, dtype=torch.float64) for _ in range(2))
    return a, 3 * b


@pytest.mark.parametrize("way", WAYS)
def test_ends_are_the_codes_and_norms_go_linearly(way: object) -> None:
    a, b = _codes()
    z = way(a, b, SHARE)  # type: ignore[operator]
    assert z.shape == (5, 7, 2, 3, 3)
    torch.testing.assert_close(z[:, 0], a)
    torch.testing.assert_close(z[:, -1], b)
    norms = torch.lerp(a.flatten(1).norm(dim=1)[:, None], b.flatten(1).norm(dim=1)[:, None], SHARE)
    torch.testing.assert_close(z.flatten(2).norm(dim=2), norms)


def test_slerp_turns_at_constant_speed() -> None:
    a, b = _codes()
    flat = torch.nn.functional.normalize(slerp(a, b, SHARE).flatten(2), dim=2)
    cosines = (flat[:, 1:] * flat[:, :-1]).sum(2)
    torch.testing.assert_close(cosines, cosines[:, :1].expand(-1, 6))
    whole = torch.cosine_similarity(a.flatten(1), b.flatten(1)).acos()
    torch.testing.assert_close(cosines[:, 0].acos() * 6, whole)


def test_slerp_is_the_rotation_of_scipy() -> None:
    """Unit quaternions with a positive product turn as rotations do (Shoemake 1985)."""
    a, b = (torch.nn.functional.normalize(item, dim=1) for item in _codes(1, (4,)))
    b = b * (a * b).sum().sign()
    turn = Slerp([0, 1], Rotation.from_quat(torch.cat([a, b]).numpy()))
    expected = torch.from_numpy(turn(SHARE.numpy()).as_quat())
    expected *= (expected @ a[0]).sign()[:, None]
    torch.testing.assert_close(slerp(a, b, SHARE)[0], expected)


def test_the_line_is_straight() -> None:
    a, b = _codes(1, (4,))
    for t, z in zip(SHARE, interpolate_linearly(a, b, SHARE)[0], strict=True):
        line = (1 - t) * a[0] + t * b[0]
        assert float(torch.cosine_similarity(z, line, dim=0)) == pytest.approx(1.0)


def test_equal_directions_and_opposite_ones() -> None:
    a, _ = _codes()
    for way in WAYS:
        torch.testing.assert_close(
            way(a, 2 * a, SHARE), a[:, None] * (1 + SHARE).reshape(1, 7, 1, 1, 1)
        )
    nearly = a * (1 + 1e-9)
    torch.testing.assert_close(slerp(a, nearly, SHARE)[:, 3], a)
    with pytest.raises(ValueError, match="no shortest way between opposite codes"):
        slerp(a, -a, SHARE)
    with pytest.raises(ValueError, match="through the origin"):
        interpolate_linearly(a, -a, torch.tensor([0.5]))


def test_half_way_between_independent_codes_keeps_their_length() -> None:
    """A plain mean of two independent normal codes is shorter by the root of two."""
    a, b = _codes(8, (4000,))
    b = b / 3
    middle = slerp(a, b, torch.tensor([0.5]))[:, 0].norm(dim=1)
    assert torch.allclose(middle, torch.full_like(middle, math.sqrt(4000)), rtol=0.03)
    plain = ((a + b) / 2).norm(dim=1)
    assert torch.allclose(plain, torch.full_like(plain, math.sqrt(2000)), rtol=0.05)


def test_temperature_scales_codes() -> None:
    a, _ = _codes()
    assert torch.equal(heat(a, 0.5), a / 2)
    assert torch.equal(heat(a, 1.0), a)
