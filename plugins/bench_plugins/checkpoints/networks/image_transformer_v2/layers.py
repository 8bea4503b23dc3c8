"""Layers of the hourglass transformer, but for attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Norm(nn.Module):
    """Division by the root of the mean square, and a learned scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        return normalise(x, self.scale)


class AdaptiveNorm(nn.Module):
    """The same with the scale that the embedding says."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.linear = nn.Linear(embedding, width, bias=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, h, w, width) -> the same shape; embedding (n or 1, embedding)."""
        return normalise(x, self.linear(embedding)[:, None, None, :] + 1)


class GatedLinear(nn.Linear):
    """GEGLU (Shazeer 2020, arXiv:2002.05202): one half times GELU of the other."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, 2 * outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        value, gate = super().forward(x).chunk(2, dim=-1)
        return value * functional.gelu(gate)


class FeedForward(nn.Module):
    """norm, gated layer, layer; and the input. Its norm is adaptive where an embedding is given."""

    def __init__(self, width: int, d_ff: int, embedding: int | None) -> None:
        super().__init__()
        self.norm = Norm(width) if embedding is None else AdaptiveNorm(width, embedding)
        self.up_proj = GatedLinear(width, d_ff)
        self.down_proj = nn.Linear(d_ff, width, bias=False)

    def forward(self, x: Tensor, *embedding: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        result: Tensor = x + self.down_proj(self.up_proj(self.norm(x, *embedding)))
        return result


class Merge(nn.Module):
    """Patches of tokens to single tokens."""

    def __init__(self, inputs: int, outputs: int, patch: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Linear(inputs * patch[0] * patch[1], outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, h, w, inputs) -> (n, h / patch, w / patch, outputs)."""
        n, height, width, features = x.shape
        rows, columns = self.patch
        x = x.reshape(n, height // rows, rows, width // columns, columns, features)
        result: Tensor = self.proj(x.transpose(2, 3).flatten(3))
        return result


class Split(nn.Module):
    """Single tokens to patches; ``mixes``: interpolated with the map of the way down."""

    def __init__(
        self, inputs: int, outputs: int, mixes: bool, patch: tuple[int, int] = (2, 2)
    ) -> None:
        super().__init__()
        self.patch = patch
        if mixes:
            self.fac = nn.Parameter(torch.full([1], 0.5))
        self.proj = nn.Linear(inputs, outputs * patch[0] * patch[1], bias=False)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """(n, h, w, inputs) -> (n, h patch, w patch, outputs)."""
        n, height, width, _ = x.shape
        rows, columns = self.patch
        x = self.proj(x).reshape(n, height, width, rows, columns, -1)
        x = x.transpose(2, 3).reshape(n, height * rows, width * columns, -1)
        return x if skip is None else skip + (x - skip) * self.fac


def wide_dtype(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def normalise(x: Tensor, scale: Tensor) -> Tensor:
    wide = x.to(wide_dtype(x))
    factor = scale.to(wide.dtype) * (wide.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
    return x * factor.to(x.dtype)
