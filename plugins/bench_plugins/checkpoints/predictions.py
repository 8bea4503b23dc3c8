"""Predictions of networks for x_t = alpha x_0 + sigma eps, converted to denoised samples."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from bench_plugins.checkpoints.common import scale_rows

Path = Literal["vp", "flow"]
"""`vp`: alpha^2 + sigma^2 = 1; `flow`: alpha + sigma = 1 (rectified flow, flow matching)."""

Prediction = Literal["eps", "x0", "v", "score", "velocity"]


def alpha_of(path: Path, level: Tensor) -> Tensor:
    """alpha at the noise-to-signal ratios ``level``, float64, (n,)."""
    return (level.square() + 1).rsqrt() if path == "vp" else 1 / (level + 1)


def karras_coefficients(sigma: Tensor, sigma_data: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """c_skip, c_out, c_in and c_noise of D = c_skip y + c_out F(c_in y; c_noise), float64, (n,).

    Karras et al. 2022, arXiv:2206.00364, Table 1, for data of standard deviation ``sigma_data``.
    """
    variance = sigma.square() + sigma_data**2
    c_in = variance.rsqrt()
    return sigma_data**2 / variance, sigma * sigma_data * c_in, c_in, sigma.log() / 4


def to_denoised(kind: Prediction, raw: Tensor, y: Tensor, level: Tensor, alpha: Tensor) -> Tensor:
    """D(y; s) of what the network gave.

    Args:
        kind: `eps`; `x0`; `v` = alpha eps - sigma x_0, of the path `vp` (Salimans & Ho 2022,
            arXiv:2202.00512); `score` of x_t, -eps / sigma; `velocity` = eps - x_0, of the path
            `flow` (Liu et al. 2023, arXiv:2209.03003, whose time runs the other way).
        raw: the network's answer, (n, ...).
        y: x_t / alpha, (n, ...).
        level, alpha: s = sigma / alpha and alpha, float64, (1,) or (n,).
    """
    if kind == "x0":
        return raw
    if kind == "eps":
        return y - scale_rows(raw, level)
    if kind == "score":
        return y + scale_rows(raw, level.square() * alpha)
    # v: alpha x_t - sigma v; velocity: x_t - sigma v.
    kept = alpha.square() if kind == "v" else alpha
    return scale_rows(y, kept) - scale_rows(raw, level * alpha)
