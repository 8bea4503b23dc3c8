"""Content of k-diffusion's configurations, under its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from bench.api import require
from bench_plugins.checkpoints.networks.image_transformer_v2 import (
    ImageTransformerV2Config,
    LevelConfig,
)
from bench_plugins.checkpoints.networks.image_v1 import ImageV1Config

_AUGMENTATIONS = 9


@dataclass(frozen=True)
class Outer:
    """The parts of a configuration that are read; the rest is about training."""

    model: dict[str, Any]
    dataset: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """Keys of both model types. Those of type object only concern training."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    input_channels: int
    input_size: tuple[int, int]
    sigma_min: float
    sigma_max: float
    sigma_data: float = 1.0
    loss_config: Literal["karras", "simple"] = "karras"
    has_variance: bool = False
    mapping_cond_dim: Literal[0] = 0
    dropout_rate: object = None
    augment_prob: object = None
    loss_weighting: object = None
    loss_scales: object = None
    sigma_sample_density: object = None

    def __post_init__(self) -> None:
        require(0 < self.sigma_min < self.sigma_max, "0 < sigma_min < sigma_max must hold")
        require(self.sigma_data > 0, "sigma_data must be positive")
        require(
            not (self.has_variance and self.loss_config == "simple"),
            "loss_config 'simple' must not have has_variance",
        )


@dataclass(frozen=True, kw_only=True)
class ImageV1Record(_Shared):
    type: Literal["image_v1"]
    mapping_out: int
    depths: tuple[int, ...]
    channels: tuple[int, ...]
    self_attn_depths: tuple[bool, ...]
    patch_size: int = 1
    augment_wrapper: bool = True
    skip_stages: int = 0
    unet_cond_dim: Literal[0] = 0
    cross_cond_dim: Literal[0] = 0
    cross_attn_depths: object = None

    def network(self) -> ImageV1Config:
        return ImageV1Config(
            input_channels=self.input_channels,
            input_size=self.input_size,
            mapping_out=self.mapping_out,
            depths=self.depths,
            channels=self.channels,
            self_attn_depths=self.self_attn_depths,
            patch_size=self.patch_size,
            mapping_cond_dim=_AUGMENTATIONS if self.augment_wrapper else 0,
            skip_stages=self.skip_stages,
            has_variance=self.has_variance,
        )


@dataclass(frozen=True)
class _Attention:
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    type: Literal["global", "neighborhood", "shifted-window", "none"]
    d_head: int = 64
    kernel_size: int = 7
    window_size: int | None = None

    @property
    def reach(self) -> int:
        if self.type != "shifted-window":
            return self.kernel_size
        require(self.window_size is not None, "shifted-window attention must have a window_size")
        return self.window_size or 0


@dataclass(frozen=True, kw_only=True)
class ImageTransformerV2Record(_Shared):
    type: Literal["image_transformer_v2"]
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    patch_size: tuple[int, int]
    d_ffs: tuple[int, ...] | None = None
    self_attns: tuple[_Attention, ...] | None = None
    mapping_width: int = 256
    mapping_depth: int = 2
    mapping_d_ff: int | None = None
    mapping_dropout_rate: object = None
    augment_wrapper: Literal[False] = False
    skip_stages: Literal[0] = 0

    def network(self, classes: int) -> ImageTransformerV2Config:
        """Widths and attentions that are not given are k-diffusion's defaults."""
        count = len(self.depths)
        default = [_Attention("neighborhood")] * (count - 1) + [_Attention("global")]
        attentions: Sequence[_Attention] = self.self_attns or default
        d_ffs = self.d_ffs or tuple(3 * width for width in self.widths)
        require(
            count == len(self.widths) == len(d_ffs) == len(attentions) and count >= 1,
            "depths, widths, d_ffs and self_attns must have one entry for each level",
        )
        levels = tuple(
            LevelConfig(depth, width, d_ff, kind.type, kind.d_head, kind.reach, self._size(level))
            for level, (depth, width, d_ff, kind) in enumerate(
                zip(self.depths, self.widths, d_ffs, attentions, strict=True)
            )
        )
        return ImageTransformerV2Config(
            input_channels=self.input_channels,
            patch_size=self.patch_size,
            levels=levels,
            mapping_depth=self.mapping_depth,
            mapping_width=self.mapping_width,
            mapping_d_ff=self.mapping_d_ff or 3 * self.mapping_width,
            classes=classes + 1 if classes else 0,
        )

    def _size(self, level: int) -> tuple[int, int]:
        require(min(self.patch_size) >= 1, "patch_size must be >= 1")
        rows, columns = (patch * 2**level for patch in self.patch_size)
        height, width = self.input_size
        require(
            height % rows == 0 and width % columns == 0,
            "input_size must be divisible by the patches, and by two for each level",
        )
        return height // rows, width // columns
