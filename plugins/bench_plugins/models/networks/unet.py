"""A small U-Net for 28x28 images that runs near a thousand evaluations a second on a CPU core.

The shape follows DDPM++ / EDM (Ho et al. 2020, arXiv:2006.11239; Song et al. 2021,
arXiv:2011.13456; Karras et al. 2022, arXiv:2206.00364): residual blocks with group norm and
SiLU, scale-shift conditioning on the noise level, skip connections, attention at the coarsest
level. Two things make it cheap: pixel-unshuffling replaces the 28x28 level, which would cost
three times as much per parameter, and there are two resolutions only (14x14 and 7x7).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_plugins.models.networks.embedding import NoiseEmbedding, embed, label_embedding


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of a `UNet`; the defaults are those of the shipped MNIST network.

    image: (channels, height, width) of one sample; height and width are multiples of 4.
    fine: channels at half resolution; coarse: channels at quarter resolution.
    fine_blocks, coarse_blocks: residual blocks per level on the way down (one more on the way
    up). Coarse ones carry four times the parameters at the same cost.
    embedding: width of the noise embedding; features: Fourier features of the noise level.
    head: channels of one attention head; group: channels of one normalisation group.
    classes: number of classes to condition on, 0 for none.
    """

    image: tuple[int, int, int] = (1, 28, 28)
    fine: int = 32
    coarse: int = 64
    fine_blocks: int = 1
    coarse_blocks: int = 2
    embedding: int = 128
    features: int = 32
    head: int = 32
    group: int = 8
    classes: int = 0

    def __post_init__(self) -> None:
        if self.image[1] % 4 or self.image[2] % 4:
            raise ValueError(
                f"U-Net: image {self.image} is halved twice, so height and width must be "
                "multiples of 4; pad the data"
            )
        if self.fine % self.group or self.coarse % self.group or self.coarse % self.head:
            raise ValueError(
                f"U-Net: channels {self.fine} and {self.coarse} must be multiples of "
                f"group={self.group}, and {self.coarse} of head={self.head}"
            )


class ResidualBlock(nn.Module):
    """x + conv(SiLU(scale * norm(conv(SiLU(norm(x)))) + shift)), scale and shift from noise."""

    def __init__(self, inputs: int, outputs: int, config: UNetConfig) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(inputs // config.group, inputs)
        self.conv_in = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.condition = nn.Linear(config.embedding, 2 * outputs)
        self.norm_out = nn.GroupNorm(outputs // config.group, outputs, affine=False)
        self.conv_out = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        # The block starts as (nearly) the identity: EDM, appendix F.1 and DDPM's zero init.
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w); embedding (n or 1, width)."""
        scale, shift = self.condition(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv_in(functional.silu(self.norm_in(x)))
        hidden = torch.addcmul(shift, self.norm_out(hidden), scale + 1)
        residual: Tensor = self.shortcut(x) + self.conv_out(functional.silu(hidden))
        return residual


class Attention(nn.Module):
    """Residual self-attention over the positions of a feature map."""

    def __init__(self, channels: int, config: UNetConfig) -> None:
        super().__init__()
        self.heads = channels // config.head
        self.norm = nn.GroupNorm(channels // config.group, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.output = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.output.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape."""
        n, channels, height, width = x.shape
        packed = self.qkv(self.norm(x)).reshape(n, 3, self.heads, -1, height * width)
        q, k, v = packed.transpose(3, 4).unbind(1)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        mixed = mixed.transpose(2, 3).reshape(n, channels, height, width)
        residual: Tensor = x + self.output(mixed)
        return residual


class UNet(nn.Module):
    """The raw network F(x; c_noise) of `EdmDenoiser`, for one `UNetConfig`."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        fine, coarse = config.fine, config.coarse
        self.embedding = NoiseEmbedding(config.features, config.embedding)
        self.stem = nn.Conv2d(4 * config.image[0], fine, 3, padding=1)
        self.down_fine = _stack([fine] * config.fine_blocks, fine, config)
        self.downsample = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.down_coarse = _stack([coarse] * config.coarse_blocks, coarse, config)
        self.attention_down = Attention(coarse, config)
        self.middle = ResidualBlock(coarse, coarse, config)
        self.attention_up = Attention(coarse, config)
        self.up_coarse = _stack([2 * coarse] * (config.coarse_blocks + 1), coarse, config)
        self.upsample = nn.Conv2d(coarse, 4 * fine, 1)
        self.up_fine = _stack([2 * fine] * (config.fine_blocks + 1), fine, config)
        self.norm = nn.GroupNorm(fine // config.group, fine)
        self.head = nn.Conv2d(fine, 4 * config.image[0], 3, padding=1)
        nn.init.zeros_(self.head.weight)
        self.label = label_embedding(config.classes, config.embedding)

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """F of the batch: x (n, *image), c_noise (n,) or (1,), labels (n,) -> (n, *image)."""
        embedding = embed(self.embedding, self.label, c_noise, labels)
        hidden = self.stem(functional.pixel_unshuffle(x, 2))
        fine = _descend(self.down_fine, hidden, embedding)
        coarse = _descend(self.down_coarse, self.downsample(fine[-1]), embedding)
        hidden = self.middle(self.attention_down(coarse[-1]), embedding)
        hidden = _ascend(self.up_coarse, self.attention_up(hidden), coarse, embedding)
        hidden = functional.pixel_shuffle(self.upsample(hidden), 2)
        hidden = _ascend(self.up_fine, hidden, fine, embedding)
        hidden = self.head(functional.silu(self.norm(hidden)))
        return functional.pixel_shuffle(hidden, 2)


def _stack(inputs: list[int], outputs: int, config: UNetConfig) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(width, outputs, config) for width in inputs)


def _descend(blocks: nn.ModuleList, hidden: Tensor, embedding: Tensor) -> list[Tensor]:
    """All feature maps of one level on the way down, the level's input first."""
    maps = [hidden]
    for block in blocks:
        maps.append(block(maps[-1], embedding))
    return maps


def _ascend(
    blocks: nn.ModuleList, hidden: Tensor, skips: list[Tensor], embedding: Tensor
) -> Tensor:
    """The level's output on the way up, each block reading one map of the way down."""
    for block, skip in zip(blocks, reversed(skips), strict=True):
        hidden = block(torch.cat([hidden, skip], dim=1), embedding)
    return hidden
