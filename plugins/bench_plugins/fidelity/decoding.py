"""From the content of an image file to bytes of RGB, and what had to be done on the way.

Whatever is not plain 8-bit RGB is converted as torch-fidelity does (Pillow's ``convert("RGB")``)
and counted, but for two things that Pillow does in silence: 16 bits are scaled to 8 in all formats
alike, v -> round(v / 257), where Pillow drops bits of some and clips others; and files of several
pictures are refused.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import torch
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError
from torch import Tensor

from bench.api import BenchError
from bench_plugins.fidelity.listing import FORMATS

CONVERSIONS: Mapping[str, str] = {
    "16-bit": "16 bits to 8",
    "alpha": "alpha dropped",
    "palette": "palette to RGB",
    "cmyk": "CMYK to RGB",
    "ycbcr": "YCbCr to RGB",
    "grey": "grey to RGB",
    "orientation": "EXIF orientation not applied",
    "mpo": "first of several pictures (MPO)",
}
"""All kinds of conversion, and their names in notes."""

_WITH_ALPHA = ("LA", "PA", "RGBA")
_KIND_OF_MODE = {"CMYK": "cmyk", "YCbCr": "ycbcr", "P": "palette", "PA": "palette"}
_GREY = ("1", "L", "LA")
_MODES = (*_GREY, "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # of 8 bits
_MODES_16 = {"TIFF": ("I;16", "I;16L", "I;16B", "I;16N"), "PPM": ("I",)}  # with 16 bits to 65535
_WEAK = ("TGA",)  # takes other files for its own: tried only on files of its name


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as an extractor sees it.

    Attributes:
        name: of its file.
        pixels: uint8, (3, H, W).
        kinds: the conversions that it went through, keys of ``CONVERSIONS``.
    """

    name: str
    pixels: Tensor
    kinds: frozenset[str] = frozenset()


def decode(content: bytes, name: str) -> Picture:
    """The image in a file's ``content``.

    Raises:
        BenchError: it is no image, damaged, of several pictures, or of pixels that are not read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of palettes with transparency, and of large images
            with Image.open(io.BytesIO(content), formats=_formats(name)) as image:
                return _picture(image, content, name)
    except UnidentifiedImageError:
        raise BenchError(
            f"{name}: is no image that can be read; move it elsewhere, or convert it"
        ) from None
    except (BenchError, MemoryError):
        raise
    except Exception as error:  # decoders fail on garbage in every way there is
        reason = " ".join(str(error).split())[:200]
        raise BenchError(f"{name}: is damaged ({reason}); replace it") from None


def _formats(name: str) -> list[str]:
    """The formats to try: by content, as files often have another format than their name says."""
    own = FORMATS.get(PurePosixPath(name).suffix.lower(), "")
    strong = dict.fromkeys(format for format in FORMATS.values() if format not in _WEAK)
    return [*strong, *([own] if own in _WEAK else [])]


def _picture(image: ImageFile.ImageFile, content: bytes, name: str) -> Picture:
    kinds = set(_kinds(image, name))
    depth = _depth(image, content, name)
    if depth == 16:
        kinds.add("16-bit")
    if depth == 16 and image.format == "PNG":
        # Pillow keeps only the high byte of colours; torchvision reads all 16 bits.
        pixels, grey = _png_16(content)
        kinds |= {"grey"} if grey else set()
    elif depth == 16 and image.mode in _MODES_16.get(image.format or "", ()):
        pixels = np.repeat(_to_8(np.asarray(image))[:, :, None], 3, axis=2)
        kinds.add("grey")
    elif image.mode in _MODES and (depth == 8 or image.format == "PPM"):
        pixels = np.array(image.convert("RGB"))
    else:
        raise BenchError(
            f"{name}: has pixels of mode {image.mode} and {depth} bits, which are not read from "
            f"{image.format}; save it with 8 bits, or as a PNG of 16"
        )
    kept = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    return Picture(name, kept, frozenset(kinds))


def _kinds(image: ImageFile.ImageFile, name: str) -> Iterator[str]:
    """Conversions that the header shows."""
    if getattr(image, "n_frames", 1) > 1:
        if image.format != "MPO":
            raise BenchError(
                f"{name}: holds {getattr(image, 'n_frames', 1)} pictures (an animation, or pages); "
                "save each of them as a file"
            )
        yield "mpo"
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        yield "alpha"
    if image.mode in _GREY:
        yield "grey"
    if image.mode in _KIND_OF_MODE:
        yield _KIND_OF_MODE[image.mode]
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        if image.format == "TIFF":  # which Pillow turns, unlike others
            raise BenchError(f"{name}: a TIFF of another orientation than upright; save it upright")
        yield "orientation"


def _depth(image: ImageFile.ImageFile, content: bytes, name: str) -> int:
    """Bits of a channel in the file, 8 for fewer; which Pillow's mode does not show."""
    match image.format:
        case "PNG":
            bits = content[24]  # of IHDR, which comes first
        case "TIFF":
            bits = _tiff_depth(image, name)
        case "PPM":
            bits = 16 if image.mode == "I" or _largest(image) > 255 else 8
        case "JPEG2000":
            bits = _jpeg2000_depth(content)
        case "AVIF":
            bits = _avif_depth(content)
        case _:
            bits = 8
    return max(bits, 8)


def _tiff_depth(image: ImageFile.ImageFile, name: str) -> int:
    tags = getattr(image, "tag_v2", {})
    bits = int(max(tags.get(258, (1,))))
    if bits > 8 and tags.get(262) == 0:
        raise BenchError(f"{name}: a TIFF of {bits} bits whose white is 0; save it with 8 bits")
    return bits


def _largest(image: ImageFile.ImageFile) -> int:
    """The value of white in a file of PPM, which Pillow scales to bytes."""
    arguments = image.tile[0].args if image.tile else ()
    numbers = [a for a in arguments if isinstance(a, int)] if isinstance(arguments, tuple) else []
    return max(numbers, default=255)


def _jpeg2000_depth(content: bytes) -> int:
    """The bits of the component that has most, by the marker SIZ of the code stream."""
    start = content.find(b"\xff\x4f\xff\x51")
    if start < 0:
        return 8
    components = int.from_bytes(content[start + 40 : start + 42], "big")
    sizes = content[start + 42 : start + 42 + 3 * components : 3]
    return max((size & 0x7F for size in sizes), default=7) + 1


def _avif_depth(content: bytes) -> int:
    """The bits of the channel that has most, by the box pixi."""
    start = content.find(b"pixi")
    return max(content[start + 9 : start + 9 + content[start + 8]], default=8) if start > 0 else 8


def _png_16(content: bytes) -> tuple[npt.NDArray[np.uint8], bool]:
    """The bytes (H, W, 3) of a PNG of 16 bits, and True if it is grey."""
    from torchvision.io import ImageReadMode, decode_image  # two seconds

    raw = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    channels = decode_image(raw, ImageReadMode.UNCHANGED).numpy()
    grey = len(channels) <= 2
    colours = channels[:1].repeat(3, axis=0) if grey else channels[:3]
    return _to_8(colours).transpose(1, 2, 0), grey


def _to_8(values: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """round(v / 257): white, 65535, becomes 255, and k * 257 becomes k."""
    return ((values.astype(np.int64) + 128) // 257).astype(np.uint8)


def describe_conversions(counts: Mapping[str, int], left_out: Mapping[str, int]) -> str:
    """One line on the images that were converted, and the files beside them that hold none."""
    parts = [f"{text}: {counts[kind]}" for kind, text in CONVERSIONS.items() if counts.get(kind)]
    if left_out:
        others = ", ".join(f"{count} {what}" for what, count in left_out.items())
        parts.append(f"left out: {others}")
    return "; ".join(parts)
