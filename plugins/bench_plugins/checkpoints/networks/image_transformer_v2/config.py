"""Sizes of k-diffusion's hourglass transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.api import require


@dataclass(frozen=True)
class LevelConfig:
    """One level of the hourglass.

    Attributes:
        depth: transformer layers (on the way down, and again on the way up).
        width, d_ff: features of a token, and inside of the feed-forward layers.
        attention: `global`, `neighborhood`, `shifted-window` or `none`.
        d_head: width of a head.
        reach: side of a neighbourhood (`kernel_size`) or window (`window_size`).
        size: tokens from top to bottom and from left to right.
    """

    depth: int
    width: int
    d_ff: int
    attention: Literal["global", "neighborhood", "shifted-window", "none"]
    d_head: int
    reach: int
    size: tuple[int, int]

    def __post_init__(self) -> None:
        require(
            1 <= self.depth <= 64 and self.width >= 1 and self.d_ff >= 1,
            "depths must be from 1 to 64, widths and d_ffs >= 1",
        )
        require(
            self.d_head >= 8 and self.d_head % 8 == 0 and self.width % self.d_head == 0,
            "d_head must be a multiple of 8 that divides the width",
        )
        require(min(self.size) >= 1, "input_size must have tokens for each level")
        if self.attention == "neighborhood":
            require(
                self.reach % 2 == 1 and 1 <= self.reach <= min(self.size),
                "kernel_size must be odd, and at most as large as its level has tokens",
            )
        if self.attention == "shifted-window":
            require(
                self.reach >= 1 and all(side % self.reach == 0 for side in self.size),
                "window_size must divide the number of tokens of its level",
            )


@dataclass(frozen=True)
class ImageTransformerV2Config:
    """Sizes of an `ImageTransformerV2`.

    Attributes:
        input_channels: of the image. patch_size: pixels of a token, height and width.
        levels: from the highest resolution to the lowest.
        mapping_depth, mapping_width, mapping_d_ff: of the network that embeds the noise level.
        classes: entries of the table of classes, the last of which is no class; 0 without.
    """

    input_channels: int
    patch_size: tuple[int, int]
    levels: tuple[LevelConfig, ...]
    mapping_depth: int = 2
    mapping_width: int = 256
    mapping_d_ff: int = 768
    classes: int = 0

    def __post_init__(self) -> None:
        require(1 <= len(self.levels) <= 16, "there must be 1 to 16 levels")
        require(
            self.input_channels >= 1 and min(self.patch_size) >= 1,
            "input_channels and patch_size must be >= 1",
        )
        require(
            0 <= self.mapping_depth <= 64 and self.mapping_d_ff >= 1,
            "mapping_depth must be from 0 to 64, mapping_d_ff >= 1",
        )
        require(
            self.mapping_width >= 2 and self.mapping_width % 2 == 0, "mapping_width must be even"
        )
