"""Ways from one code to another, and temperature."""

from __future__ import annotations

import torch
from torch import Tensor


def slerp(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Codes along the great circles from ``a`` to ``b``, (n, k, *shape).

    The direction turns at constant speed (Shoemake 1985), the norm goes linearly from
    |a| to |b|: on a straight line it would shrink to |a| / sqrt(2) half way between independent
    codes, where a network has seen nothing.

    Args:
        a, b: codes, (n, *shape).
        share: 0 for a, 1 for b, (k,).

    Raises:
        ValueError: two codes are opposite, so that no circle is the shortest.
    """
    first, second, norms = _directions(a, b, share)
    # Half angles: the arc cosine of the product loses half of the digits of small angles.
    apart, together = ((first + sign * second).norm(dim=1) for sign in (-1, 1))
    if bool((together < 1e-7).any()):
        raise ValueError("there is no shortest way between opposite codes")
    angle = 2 * torch.atan2(apart, together)[:, None, None]
    t = share.double()[None, :, None]
    small = angle < 1e-7
    sine = torch.where(small, 1.0, angle.sin())
    left = torch.where(small, 1 - t, ((1 - t) * angle).sin() / sine)
    right = torch.where(small, t, (t * angle).sin() / sine)
    return _shape(norms * (left * first[:, None] + right * second[:, None]), a)


def interpolate_linearly(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Codes along the straight lines from ``a`` to ``b``, with the norm of `slerp`, (n, k, *shape).

    Args:
        a, b: codes, (n, *shape).
        share: 0 for a, 1 for b, (k,).

    Raises:
        ValueError: two codes are opposite, so that the line goes through the origin.
    """
    _, _, norms = _directions(a, b, share)
    t = share.double()[None, :, None]
    line = (1 - t) * a.flatten(1).double()[:, None] + t * b.flatten(1).double()[:, None]
    length = line.norm(dim=2, keepdim=True)
    if bool((length < 1e-7 * norms).any()):
        raise ValueError("the line between opposite codes goes through the origin")
    return _shape(norms * line / length, a)


def heat(codes: Tensor, temperature: float) -> Tensor:
    """The codes scaled by ``temperature``: below 1 nearer to the mode of N(0, I).

    Song et al. 2021, arXiv:2011.13456, Section 4.3 and Appendix D.4, for the ODE.
    """
    return codes * temperature


def _directions(a: Tensor, b: Tensor, share: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Unit vectors of a and b, (n, d), and the norms on the way, (n, k, 1), float64."""
    left, right = a.flatten(1).double(), b.flatten(1).double()
    n_left, n_right = (item.norm(dim=1, keepdim=True) for item in (left, right))
    norms = torch.lerp(n_left, n_right, share.double()[None])[..., None]
    return left / n_left, right / n_right, norms


def _shape(codes: Tensor, like: Tensor) -> Tensor:
    return codes.to(like.dtype).reshape(*codes.shape[:2], *like.shape[1:])
