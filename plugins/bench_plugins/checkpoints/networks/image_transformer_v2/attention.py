"""Attention by cosine similarity, with rotary embedding."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.checkpoints.networks.image_transformer_v2.config import LevelConfig
from bench_plugins.checkpoints.networks.image_transformer_v2.layers import AdaptiveNorm, wide_dtype


class Rotation(nn.Module):
    """Frequencies of the rotary embedding of a token's place, (heads, d_head / 8)."""

    freqs: Tensor

    def __init__(self, d_head: int, heads: int) -> None:
        super().__init__()
        count = d_head // 8
        logs = torch.linspace(math.log(math.pi), math.log(10 * math.pi), heads * count + 1)[:-1]
        self.register_buffer("freqs", logs.exp().view(count, heads).T.contiguous())

    def forward(self, places: Tensor) -> Tensor:
        """Angles (heads, tokens, d_head / 4) of places (tokens, 2): of the rows, then columns."""
        angles = places.T[:, None, :, None] * self.freqs[None, :, None, :].to(places.dtype)
        return torch.cat([angles[0], angles[1]], dim=-1)


class Attention(nn.Module):
    """Residual attention by cosine similarity, with rotated queries and keys."""

    def __init__(self, level: LevelConfig, embedding: int) -> None:
        super().__init__()
        self.heads = level.width // level.d_head
        self.scale = nn.Parameter(torch.full([self.heads], 10.0))
        self.norm = AdaptiveNorm(level.width, embedding)
        self.qkv_proj = nn.Linear(level.width, 3 * level.width, bias=False)
        self.pos_emb = Rotation(level.d_head, self.heads)
        self.out_proj = nn.Linear(level.width, level.width, bias=False)

    def forward(
        self, x: Tensor, embedding: Tensor, places: Tensor, allowed: Tensor | None
    ) -> Tensor:
        """(n, h, w, width) -> the same shape; allowed (tokens, tokens), row by row."""
        n, height, width, features = x.shape
        packed = self.qkv_proj(self.norm(x, embedding))
        packed = packed.reshape(n, height * width, 3, self.heads, features // self.heads)
        q, k, v = packed.permute(2, 0, 3, 1, 4).unbind(0)
        root = self.scale[:, None, None].to(wide_dtype(x)).sqrt()
        angles = self.pos_emb(places)
        q, k = (_rotate(_unit_norm(part) * root, angles).to(v.dtype) for part in (q, k))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=1.0)
        mixed = mixed.transpose(1, 2).reshape(x.shape)
        result: Tensor = x + self.out_proj(mixed)
        return result


def _unit_norm(x: Tensor) -> Tensor:
    wide = x.to(wide_dtype(x))
    return wide * (wide.square().sum(-1, keepdim=True) + 1e-6).rsqrt()


def _rotate(x: Tensor, angles: Tensor) -> Tensor:
    """The first two quarters of the features as coordinates in planes, turned by ``angles``."""
    turned = angles.shape[-1]
    a, b, rest = x.split([turned, turned, x.shape[-1] - 2 * turned], dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, b * cos + a * sin, rest], dim=-1)
