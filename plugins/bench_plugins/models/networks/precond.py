"""EDM preconditioning: a raw network becomes the normalised denoiser D(y; s).

Karras, Aittala, Aila & Laine 2022, "Elucidating the Design Space of Diffusion-Based
Generative Models" (arXiv:2206.00364), equation 7 and table 1, with one addition: the scalar
mean of the data is taken out first, so that the coefficients derived there for centred data
hold exactly for data that are not centred (MNIST in [-1, 1) has mean -0.74).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Preconditioning:
    """First two moments of the data's scalar entries; the units are those of x_0.

    sigma_data: standard deviation over all entries, > 0.
    data_mean: mean over all entries.
    """

    sigma_data: float = 0.5
    data_mean: float = 0.0

    def __post_init__(self) -> None:
        if not self.sigma_data > 0.0:
            raise ValueError(
                f"preconditioning: sigma_data is {self.sigma_data}; it is a standard deviation "
                "and must be positive"
            )


class EdmDenoiser(nn.Module):
    """D(y; s) = m + c_skip (y - m) + c_out F(c_in (y - m); c_noise).

    With v = s^2 + sigma_data^2: c_skip = sigma_data^2 / v, c_out = s sigma_data / sqrt(v),
    c_in = 1 / sqrt(v), c_noise = ln(s) / 4 (EDM, table 1). F's input and its regression
    target then both have unit variance at every noise level.
    """

    def __init__(self, network: nn.Module, preconditioning: Preconditioning) -> None:
        super().__init__()
        self.network = network
        self.preconditioning = preconditioning
        self.sigma_data = preconditioning.sigma_data
        self.data_mean = preconditioning.data_mean

    def forward(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor:
        """The denoised batch, same shape and dtype as `y`.

        y: noisy batch (n, ...) in normalised coordinates y = x_t / alpha = x_0 + s eps.
        s: noise-to-signal ratio sigma / alpha > 0, shape () for the whole batch or (n,).
        labels: classes, int64 (n,), `NO_CLASS` for none, of a network that knows classes.
        """
        s = s.to(y.dtype).reshape((-1,) + (1,) * (y.ndim - 1))
        inverse_norm = torch.rsqrt(s * s + self.sigma_data**2)
        c_out = s * inverse_norm * self.sigma_data
        c_skip = (self.sigma_data * inverse_norm).square()
        centred = y - self.data_mean
        condition = (s.flatten().log() / 4,) if labels is None else (s.flatten().log() / 4, labels)
        raw = self.network(centred * inverse_norm, *condition).to(y.dtype)
        return torch.addcmul(centred * c_skip, c_out, raw) + self.data_mean
