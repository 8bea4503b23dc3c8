"""From files of any kind to bytes of RGB, and the count of what was done."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, features

from bench.api import BenchError
from bench_plugins.fidelity.decoding import CONVERSIONS, Picture, decode, describe_conversions

_RANDOM = np.random.default_rng(0)
_BYTES = _RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _decoded(image: Image.Image, kind: str = "png", **options: Any) -> Picture:
    return decode(_saved(image, kind, **options), f"a.{kind}")


def _pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    """(H, W, 3)."""
    pixels: npt.NDArray[np.uint8] = picture.pixels.permute(1, 2, 0).numpy()
    return pixels


def _png_16(values: npt.NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits, (H, W, channels), by the format's own specification."""
    height, width, channels = values.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_give_the_levels_of_the_same_picture_in_8(channels: int) -> None:
    bytes_of = _BYTES[:, :, :channels]
    small = bytes_of[:, :, 0] if channels == 1 else bytes_of
    eight = _decoded(Image.fromarray(small))
    sixteen = decode(_png_16(bytes_of.astype(np.uint16) * 257), "a.png")
    assert (_pixels(sixteen) == _pixels(eight)).all()
    assert sixteen.kinds == eight.kinds | {"16-bit"}


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_rounded_and_neither_clipped_nor_cut(channels: int) -> None:
    values = np.array([0, 128, 129, 300, 32767, 32896, 65278, 65406, 65407, 65535], dtype=np.uint16)
    picture = decode(_png_16(values.reshape(2, 5, 1).repeat(channels, axis=2)), "a.png")
    expected = np.rint(values / 257).astype(np.uint8).reshape(2, 5)
    assert expected.max() == 255
    assert (_pixels(picture) == expected[:, :, None]).all()


@pytest.mark.parametrize("kind", ["png", "tiff", "ppm"])
def test_grey_of_16_bits_is_alike_in_all_formats(kind: str) -> None:
    values = _RANDOM.integers(0, 65536, (6, 5), dtype=np.uint16)
    picture = decode(_saved(Image.fromarray(values), kind), f"a.{kind}")
    assert (_pixels(picture) == np.rint(values / 257)[:, :, None]).all()
    assert picture.kinds == {"16-bit", "grey"}


def _tiff_16(values: npt.NDArray[np.uint16], order: str, white: int) -> bytes:
    """A grey TIFF of one row, little (<) or big endian (>), whose white is 0 or not."""
    width, size = values.size, 2 * values.size
    numbers = {256: width, 257: 1, 258: 16, 259: 1, 262: white, 273: 200, 277: 1, 278: 1, 279: size}
    tags = b"".join(struct.pack(f"{order}HHIHH", t, 3, 1, v, 0) for t, v in numbers.items())
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}IH", 8, len(numbers)) + tags + b"\0" * 4
    return head.ljust(200, b"\0") + values.astype(f"{order}u2").tobytes()


def test_a_tiff_of_any_byte_order_and_none_of_the_other_white() -> None:
    values = np.array([0, 257 * 3, 65535], dtype=np.uint16)
    for order in "<>":
        picture = decode(_tiff_16(values, order, white=1), "a.tif")
        assert _pixels(picture)[0, :, 0].tolist() == [0, 3, 255]
    with pytest.raises(BenchError, match=r"a\.tif: a TIFF of 16 bits whose white is 0"):
        decode(_tiff_16(values, "<", white=0), "a.tif")


def test_colours_of_16_bits_in_a_text_of_numbers() -> None:
    picture = decode(b"P3 2 1 65535\n0 771 65535 257 514 65278\n", "a.ppm")
    assert _pixels(picture)[0].tolist() == [[0, 3, 255], [1, 2, 254]]
    assert picture.kinds == {"16-bit"}
    small = decode(b"P3 1 1 15\n0 5 15\n", "a.ppm")
    assert (_pixels(small)[0].tolist(), small.kinds) == ([[0, 85, 255]], frozenset())


def test_alpha_is_dropped_and_counted() -> None:
    picture = _decoded(Image.fromarray(_BYTES))
    assert (_pixels(picture) == _BYTES[:, :, :3]).all()
    assert picture.kinds == {"alpha"}
    grey = _decoded(Image.fromarray(np.ascontiguousarray(_BYTES[:, :, :2])))
    assert (_pixels(grey) == _BYTES[:, :, :1]).all()
    assert grey.kinds == {"alpha", "grey"}


def test_a_transparent_colour_is_alpha_too() -> None:
    rgb = Image.fromarray(np.ascontiguousarray(_BYTES[:, :, :3]))
    picture = _decoded(rgb, transparency=(1, 2, 3))
    assert (_pixels(picture) == _BYTES[:, :, :3]).all()
    assert picture.kinds == {"alpha"}


@pytest.mark.parametrize("kind", ["png", "gif", "bmp"])
def test_palettes_are_looked_up(kind: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    picture = _decoded(image, kind)
    assert _pixels(picture)[0].tolist() == [[10, 20, 30], [200, 100, 50]]
    assert picture.kinds == {"palette"}


def test_a_palette_with_transparency() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    picture = _decoded(image, transparency=bytes([0, 255]))
    assert _pixels(picture)[0, 0].tolist() == [10, 20, 30]
    assert picture.kinds == {"palette", "alpha"}


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_is_repeated(mode: str) -> None:
    image = Image.fromarray(_BYTES[:, :, 0]).convert(mode)
    picture = _decoded(image)
    assert (_pixels(picture) == np.asarray(image.convert("L"))[:, :, None]).all()
    assert picture.kinds == {"grey"}


def test_cmyk_of_a_jpeg() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    picture = _decoded(image, "jpeg")
    assert _pixels(picture)[4, 4].tolist() == pytest.approx([255, 0, 0], abs=2)
    assert picture.kinds == {"cmyk"}


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_an_orientation_is_counted_and_not_applied(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image = Image.new("RGB", (8, 16), "red")
    picture = _decoded(image, kind, exif=exif)
    assert picture.pixels.shape == (3, 16, 8)
    assert picture.kinds == {"orientation"}
    exif[0x0112] = 1
    assert _decoded(image, kind, exif=exif).kinds == frozenset()


def test_a_turned_tiff_is_refused() -> None:
    image = Image.new("RGB", (8, 16), "red")
    with pytest.raises(BenchError, match=r"a\.tiff: a TIFF of another orientation"):
        _decoded(image, "tiff", tiffinfo={0x0112: 6})


@pytest.mark.parametrize("kind", ["gif", "tiff", "webp", "png"])
def test_files_of_several_pictures_are_refused(kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    with pytest.raises(BenchError, match=rf"a\.{kind}: holds 3 pictures"):
        _decoded(frames[0], kind, save_all=True, append_images=frames[1:])


def test_the_first_of_a_telephones_pictures_is_read_and_counted() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = _saved(frames[0], "mpo", save_all=True, append_images=frames[1:])
    picture = decode(content, "a.jpg")
    assert picture.kinds == {"mpo"}
    assert _pixels(picture)[4, 4].tolist() == pytest.approx([255, 0, 0], abs=2)


def _jpeg2000_of(bits: int) -> bytes:
    """A picture of 8 bits that claims to have others."""
    content = bytearray(_saved(Image.new("L", (8, 8), 7), "jpeg2000"))
    content[content.index(b"\xff\x4f\xff\x51") + 42] = bits - 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_saved(Image.new("F", (2, 2)), "tiff"), "mode F and 32 bits"),
        (_saved(Image.new("I", (2, 2)), "tiff"), "mode I and 32 bits"),
        (_saved(Image.new("LAB", (2, 2)), "tiff"), "mode LAB and 8 bits"),
        (_jpeg2000_of(12), "12 bits, which are not read from JPEG2000"),
        (_jpeg2000_of(16), "16 bits, which are not read from JPEG2000"),
    ],
)
def test_other_pixels_are_refused_by_name(content: bytes, words: str) -> None:
    with pytest.raises(BenchError, match=rf"dir/a\.png: has pixels of .*{words}"):
        decode(content, "dir/a.png")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow knows no AVIF")
def test_avif_of_8_bits_alone() -> None:
    content = _saved(Image.new("RGB", (8, 8), "red"), "avif", quality=100)
    picture = decode(content, "a.avif")
    assert _pixels(picture)[4, 4].tolist() == pytest.approx([255, 0, 0], abs=3)
    deep = bytearray(content)  # the same picture, that claims to have 10 bits in both places
    place = deep.index(b"pixi") + 9
    deep[place : place + 3] = b"\x0a\x0a\x0a"
    deep[deep.index(b"av1C") + 6] |= 0x40
    with pytest.raises(BenchError, match="10 bits, which are not read from AVIF"):
        decode(bytes(deep), "a.avif")


@pytest.mark.parametrize("name", ["a.png", "a.tga", "a.pcx", "a.webp"])
@pytest.mark.parametrize("content", [b"", b"no image", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0" * 99])
def test_what_is_no_image_is_refused_by_name(name: str, content: bytes) -> None:
    with pytest.raises(BenchError, match=f"^{name}: is (no image|damaged)") as caught:
        decode(content, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "tiff", "bmp", "jpeg2000", "ppm"])
def test_a_file_cut_off_is_refused_by_name(kind: str) -> None:
    pixels = _RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = _saved(Image.fromarray(pixels), kind)
    with pytest.raises(BenchError, match=r"^a\.png: is (no image|damaged)"):
        decode(content[: len(content) * 2 // 3], "a.png")


def test_a_png_of_16_bits_cut_off_is_refused_by_name() -> None:
    content = _png_16(_RANDOM.integers(0, 65536, (64, 64, 3), dtype=np.uint16))
    with pytest.raises(BenchError, match=r"^a\.png: is damaged"):
        decode(content[: len(content) // 2], "a.png")


def test_another_format_than_the_name_says_is_read() -> None:
    content = _saved(Image.new("RGB", (4, 4), "red"), "webp", lossless=True)
    assert _pixels(decode(content, "a.JPG"))[0, 0].tolist() == [255, 0, 0]


def test_the_note_names_all_kinds_in_one_order() -> None:
    assert describe_conversions({}, {}) == ""
    assert describe_conversions({"grey": 2, "16-bit": 1}, {".json": 3, "hidden": 1}) == (
        "16 bits to 8: 1; grey to RGB: 2; left out: 3 .json, 1 hidden"
    )
    everything = describe_conversions(dict.fromkeys(CONVERSIONS, 4), {})
    assert everything.count(": 4") == len(CONVERSIONS)
