"""The images among the files of a folder or an archive: all of them, or a refusal by name.

A reference must not in silence be a part of what the user named. So every file is one of three:
an image, known to hold none (a label, a note: left out and counted), or refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.api import BenchError

FORMATS: Mapping[str, str] = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".dib": "DIB",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
    ".jp2": "JPEG2000",
    ".j2k": "JPEG2000",
    ".j2c": "JPEG2000",
    ".jpc": "JPEG2000",
    ".jpf": "JPEG2000",
    ".jpx": "JPEG2000",
    ".avif": "AVIF",
    ".qoi": "QOI",
    ".pcx": "PCX",
    ".tga": "TGA",
}
"""Suffixes of images, and Pillow's names of their formats."""

_TEXT = ".txt .md .rst .json .jsonl .csv .tsv .xml .yaml .yml .toml .ini .cfg .html .htm .log .lst"
_OTHERS = ".bib .cff .license .md5 .sha1 .sha256 .py .sh .ipynb .url"
_NO_IMAGES = frozenset((*_TEXT.split(), *_OTHERS.split()))
_NOTES = "readme license licence copying notice citation authors changelog makefile thumbs.db"
_NO_IMAGES_NAMES = frozenset((*_NOTES.split(), "md5sums", "sha1sums", "sha256sums"))


@dataclass(frozen=True)
class Listing:
    """The files of a folder or an archive.

    Attributes:
        images: the names of the images, sorted.
        left_out: how many other files, by what they are.
    """

    images: tuple[str, ...]
    left_out: Mapping[str, int]

    @staticmethod
    def of(names: Iterable[str], place: object) -> Listing:
        """The listing of the files ``names`` (with "/" between folders) in ``place``.

        Raises:
            BenchError: there are no images, one name twice, or a file that may hold some but is
                not read.
        """
        images: list[str] = []
        left_out: Counter[str] = Counter()
        strangers: list[str] = []
        for name in names:
            suffix = PurePosixPath(name).suffix.lower()
            if is_hidden(name):
                left_out["hidden"] += 1
            elif suffix in FORMATS:
                images.append(name)
            elif _holds_none(name):
                left_out[suffix or PurePosixPath(name).name] += 1
            else:
                strangers.append(name)
        if strangers:
            raise _refusal(sorted(strangers), place)
        if not images:
            raise BenchError(f"{place}: holds no images ({', '.join(FORMATS)})")
        twice = [name for name, times in Counter(images).items() if times > 1]
        if twice:
            raise BenchError(f"{place}: holds '{twice[0]}' {images.count(twice[0])} times")
        return Listing(tuple(sorted(images)), dict(sorted(left_out.items())))


def is_hidden(name: str) -> bool:
    """True if a file or a folder around it is hidden, or the shadow of another on a Mac."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _holds_none(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _NO_IMAGES or path.name.lower() in _NO_IMAGES_NAMES


def _refusal(strangers: list[str], place: object) -> BenchError:
    more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
    return BenchError(
        f"{place}: '{strangers[0]}'{more}: neither an image of a format that is read "
        f"({', '.join(FORMATS)}) nor known to hold none; move it elsewhere, or convert it"
    )
