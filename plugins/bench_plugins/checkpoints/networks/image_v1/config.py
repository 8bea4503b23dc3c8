"""Sizes of k-diffusion's U-Net."""

from __future__ import annotations

from dataclasses import dataclass

from bench.api import require

GROUP = 32


@dataclass(frozen=True)
class ImageV1Config:
    """Sizes of an `ImageV1`, under k-diffusion's names; the defaults are those of CIFAR-10.

    Attributes:
        input_channels: of the image. input_size: its height and width.
        mapping_out: width of the embedding of the noise level.
        depths, channels, self_attn_depths: blocks, width and attention of each level.
        patch_size: pixels that are folded into the channels, in each direction.
        mapping_cond_dim: size of the augmentation labels that it was trained with (they are zero
            here), 0 for none.
        skip_stages: upper levels that are left out.
        has_variance: whether a further channel has a learned variance (it is dropped here).
    """

    input_channels: int = 3
    input_size: tuple[int, int] = (32, 32)
    mapping_out: int = 256
    depths: tuple[int, ...] = (2, 4, 4)
    channels: tuple[int, ...] = (128, 256, 512)
    self_attn_depths: tuple[bool, ...] = (False, True, True)
    patch_size: int = 1
    mapping_cond_dim: int = 9
    skip_stages: int = 0
    has_variance: bool = False

    def __post_init__(self) -> None:
        levels = len(self.depths)
        require(
            1 <= levels <= 16 and levels == len(self.channels) == len(self.self_attn_depths),
            "depths, channels and self_attn_depths must have one entry for each of 1 to 16 levels",
        )
        require(
            all(1 <= depth <= 64 for depth in self.depths) and min(self.channels) >= 1,
            "depths must be from 1 to 64, channels >= 1",
        )
        require(
            all(width < 2 * GROUP or width % (width // GROUP) == 0 for width in self.channels),
            "channels must divide into groups of at least 32",
        )
        require(
            self.input_channels >= 1 and self.mapping_out >= 2 and self.mapping_out % 2 == 0,
            "input_channels must be >= 1, mapping_out even",
        )
        require(self.mapping_cond_dim >= 0, "mapping_cond_dim must be >= 0")
        require(0 <= self.skip_stages < levels, "skip_stages must be less than the levels")
        factor = self.patch_size * 2 ** (levels - 1 - self.skip_stages)
        require(
            self.patch_size >= 1 and min(self.input_size) >= 1,
            "patch_size and input_size must be >= 1",
        )
        require(
            all(side % factor == 0 for side in self.input_size),
            f"input_size must be divisible by {factor} (patches, and two for each level)",
        )
