"""Shape and classes of a UNet2DModel, by its configuration; refused if it cannot work here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.api import BenchError
from bench_plugins.checkpoints.unet2d.keys import UNET_KEYS
from bench_plugins.checkpoints.unet2d.scheduler import Noise
from bench_plugins.checkpoints.unet2d.values import Values

_DOWN = (
    "DownBlock2D",
    "AttnDownBlock2D",
    "ResnetDownsampleBlock2D",
    "SkipDownBlock2D",
    "AttnSkipDownBlock2D",
)
_UP = (
    "UpBlock2D",
    "AttnUpBlock2D",
    "ResnetUpsampleBlock2D",
    "SkipUpBlock2D",
    "AttnSkipUpBlock2D",
)
_DEFAULT_DOWN = ["DownBlock2D", *["AttnDownBlock2D"] * 3]
_DEFAULT_UP = [*["AttnUpBlock2D"] * 3, "UpBlock2D"]
_DEFAULT_CHANNELS = [224, 448, 672, 896]


@dataclass(frozen=True)
class Network:
    """A network that can work here.

    Attributes:
        shape: of an image, (channels, height, width).
        classes: how many classes it knows, 0 for none.
    """

    shape: tuple[int, int, int]
    classes: int


def network_of(record: Mapping[str, object], noise: Noise, place: str) -> Network:
    """Shape and classes by the content of a config.json, for a network of this noise.

    Raises:
        BenchError: names the key that cannot be honoured, and what to do.
    """
    values = Values(record, place)
    kind = record.get("_class_name")
    if kind != "UNet2DModel":
        raise values.error("_class_name", "must be UNet2DModel, which is all that is read here")
    UNET_KEYS.check(record, f"{place}: UNet2DModel")
    levels = _levels(values)
    shape = _shape(values, levels)
    _check_output(values, shape[0], noise)
    _check_time(values, noise)
    return Network(shape, _classes(values))


def _levels(values: Values) -> int:
    """The number of levels, where the blocks are known and as many as the channels."""
    down = _blocks(values, "down_block_types", _DOWN, _DEFAULT_DOWN)
    up = _blocks(values, "up_block_types", _UP, _DEFAULT_UP)
    channels = values.record.get("block_out_channels", _DEFAULT_CHANNELS)
    if not isinstance(channels, list) or not all(type(n) is int and n > 0 for n in channels):
        raise values.error("block_out_channels", "must be a list of whole numbers")
    for key, count in (("up_block_types", len(up)), ("block_out_channels", len(channels))):
        if count != len(down):
            raise values.error(
                key,
                f"has {count} entries, but down_block_types {len(down)}; there must be one "
                "for each level",
            )
    _check_blocks(values, channels)
    _check_skips(values, down, up)
    return len(channels)


def _blocks(values: Values, key: str, known: tuple[str, ...], default: list[str]) -> list[str]:
    blocks = values.record.get(key, default)
    if not isinstance(blocks, list) or not blocks:
        raise values.error(key, "must be a list of blocks")
    for block in blocks:
        # "UNetRes..." is an old name of the same.
        if not isinstance(block, str) or block.removeprefix("UNetRes") not in known:
            raise values.error(
                key,
                f"'{str(block)[:40]}' cannot be used here; it must be one of {', '.join(known)}",
            )
    return [block.removeprefix("UNetRes") for block in blocks]


def _check_skips(values: Values, down: list[str], up: list[str]) -> None:
    """Blocks that carry the image along have three channels of it, and end with the last."""
    skips = ["Skip" in block for block in up]
    if skips != sorted(skips):
        raise values.error(
            "up_block_types", "a block without Skip cannot follow one with it; correct the order"
        )
    if any("Skip" in block for block in (*down, *up)):
        for key in ("in_channels", "out_channels"):
            if values.record.get(key, 3) != 3:
                raise values.error(key, "must be 3 with blocks such as SkipDownBlock2D")


def _check_blocks(values: Values, channels: list[int]) -> None:
    groups = values.count("norm_num_groups", 32, 1)
    uneven = [n for n in channels if n % groups]
    if uneven:
        raise values.error(
            "norm_num_groups", f"does not divide the {uneven[0]} channels of block_out_channels"
        )
    if values.record.get("attn_norm_num_groups") is not None:
        groups = values.count("attn_norm_num_groups", 32, 1)
        if channels[-1] % groups:
            raise values.error(
                "attn_norm_num_groups", f"does not divide the last {channels[-1]} channels"
            )
    values.count("layers_per_block", 2, 1, 64)
    values.count("downsample_padding", 1, 0, 1)
    values.choice("downsample_type", ("conv", "resnet"), "conv", True)
    values.choice("upsample_type", ("conv", "resnet"), "conv", True)
    values.choice("resnet_time_scale_shift", ("default", "scale_shift"), "default")
    values.choice("act_fn", ("swish", "silu", "mish", "gelu", "relu"), "silu")


def _shape(values: Values, levels: int) -> tuple[int, int, int]:
    channels = values.count("in_channels", 3, 1, 4096)
    size = values.record.get("sample_size")
    if size is None:
        raise values.error(
            "sample_size", "is not given; write the side of the images, or [height, width]"
        )
    lengths = size if isinstance(size, list) else [size, size]
    if len(lengths) != 2 or not all(type(n) is int and n > 0 for n in lengths):
        raise values.error("sample_size", "must be a side, or [height, width]")
    multiple = 2 ** (levels - 1)
    if any(side % multiple for side in lengths):
        raise values.error(
            "sample_size",
            f"its {levels} levels need sides that {multiple} divides; pad the images (28 to 32), "
            "and write that size",
        )
    height, width = map(int, lengths)
    return channels, height, width


def _check_output(values: Values, channels: int, noise: Noise) -> None:
    out = values.count("out_channels", 3, 1, 8192)
    if out == channels and noise.learned:
        raise values.error(
            "out_channels",
            f"{noise.scheduler}'s variance_type is learned, which takes {2 * channels}; write "
            "variance_type: fixed_small if the network gives no variances",
        )
    if out == 2 * channels and not noise.learned:
        raise values.error(
            "out_channels",
            f"is twice in_channels, {channels}, but {noise.scheduler}'s variance_type is not "
            "learned; write variance_type: learned_range into a DDPMScheduler's record if the "
            "second half are variances",
        )
    if out not in (channels, 2 * channels):
        raise values.error(
            "out_channels",
            f"must be in_channels, {channels}; networks that are conditioned on a further image "
            "(super-resolution, inpainting) are not read",
        )


def _check_time(values: Values, noise: Noise) -> None:
    kind = values.choice("time_embedding_type", ("positional", "fourier", "learned"), "positional")
    if kind == "learned":
        raise values.error(
            "time_embedding_type",
            "its labels are whole, and here they lie between; load it as model `discrete`, which "
            "rounds them, or train one with positional",
        )
    if kind == "fourier" and noise.kind in ("table", "continuous", "edm"):
        raise values.error(
            "time_embedding_type",
            f"takes the logarithm of the label, which {noise.scheduler}'s do not have (0 or "
            "less); it goes with ScoreSdeVeScheduler",
        )


def _classes(values: Values) -> int:
    if values.record.get("class_embed_type") is not None:
        raise values.error(
            "class_embed_type",
            "its classes are no numbers of a table; only null, with num_class_embeds, is read",
        )
    if values.record.get("num_class_embeds") is None:
        return 0
    return values.count("num_class_embeds", 0, 1)


def damaged_network(place: str, cause: str) -> BenchError:
    """The error of a network that diffusers cannot run, for a reason that no key shows."""
    return BenchError(f"{place}: diffusers cannot run this network ({cause}); correct the key")
