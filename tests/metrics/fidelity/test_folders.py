"""Which files of a folder or a zip are the reference: all that were named, or a refusal."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.api import BenchError
from bench_plugins.fidelity.sources import Folder, ImageSource, Zip, open_source


def _image(path: Path, level: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 4, 3), level, dtype=np.uint8)
    pixels[0, 0] = 255 - level
    Image.fromarray(pixels).save(path)
    return path


def _open(path: Path) -> ImageSource:
    source = open_source(str(path), None, False)
    assert isinstance(source, Folder | Zip)
    return source


def _levels(path: Path) -> list[int]:
    """The levels of the images that are read, in order."""
    return [int(image.pixels[0, 3, 3]) for image in _open(path).images()]


def _refusal(path: Path) -> str:
    source = _open(path)
    with pytest.raises(BenchError) as caught:
        source.digest()
    with pytest.raises(BenchError) as again:
        list(source.images())
    assert str(again.value) == str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Two classes of two images each."""
    for i in range(4):
        _image(tmp_path / "plain" / "ab"[i // 2] / f"{i}.png", i)
    return tmp_path / "plain"


def _elsewhere(plain: Path, tmp_path: Path) -> Path:
    """The second class in a folder of its own."""
    folder = tmp_path / "linked"
    _image(folder / "a" / "0.png", 0)
    _image(folder / "a" / "1.png", 1)
    return folder


def _link_folder(plain: Path, folder: Path) -> None:
    (folder / "b").symlink_to(plain / "b", target_is_directory=True)


def _link_relative(plain: Path, folder: Path) -> None:
    (folder / "b").symlink_to(os.path.relpath(plain / "b", folder))


def _link_files(plain: Path, folder: Path) -> None:
    (folder / "b").mkdir()
    for i in (2, 3):
        (folder / "b" / f"{i}.png").symlink_to(plain / "b" / f"{i}.png")


def _link_of_link(plain: Path, folder: Path) -> None:
    (folder.parent / "way").symlink_to(plain / "b")
    (folder / "b").symlink_to(folder.parent / "way")


@pytest.mark.parametrize("link", [_link_folder, _link_relative, _link_files, _link_of_link])
def test_linked_folders_and_files_are_followed(
    link: Callable[[Path, Path], None], plain: Path, tmp_path: Path
) -> None:
    folder = _elsewhere(plain, tmp_path)
    link(plain, folder)
    assert _levels(folder) == [0, 1, 2, 3]
    assert _open(folder).digest() == _open(plain).digest()


def test_a_folder_of_links_alone_and_a_link_as_the_root(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for name in "ab":
        (tmp_path / "all" / name).symlink_to(plain / name)
    (tmp_path / "root").symlink_to(tmp_path / "all")
    assert _levels(tmp_path / "all") == _levels(tmp_path / "root") == [0, 1, 2, 3]


@pytest.mark.parametrize("target", [".", "..", "../../plain/a"])
def test_a_loop_of_links_is_refused(target: str, plain: Path) -> None:
    (plain / "a" / "round").symlink_to(target)
    assert "plain/a/round: is a link to a folder around it" in _refusal(plain)


def test_two_folders_that_link_to_each_other_are_refused(tmp_path: Path) -> None:
    for one, other in ("ab", "ba"):
        _image(tmp_path / one / "0.png")
        (tmp_path / one / "other").symlink_to(tmp_path / other)
    assert "a loop" in _refusal(tmp_path / "a")


@pytest.mark.parametrize("name", ["c", "a/again.png"])
def test_what_is_reached_twice_would_count_twice_and_is_refused(name: str, plain: Path) -> None:
    target = plain / "a" if name == "c" else plain / "b" / "2.png"
    (plain / name).symlink_to(target)
    message = _refusal(plain)
    assert "is the same file as" in message
    assert "would count twice" in message


def test_a_copy_is_an_image_of_its_own(plain: Path) -> None:
    (plain / "b" / "4.png").write_bytes((plain / "b" / "3.png").read_bytes())
    os.link(plain / "b" / "3.png", plain / "b" / "5.png")
    assert _levels(plain) == [0, 1, 2, 3, 3, 3]


@pytest.mark.parametrize("name", ["b/9.png", "c", "b/labels.json"])
def test_links_to_nothing_are_refused(name: str, plain: Path) -> None:
    (plain / name).symlink_to(plain / "gone")
    assert f"{name}: is a link to nothing" in _refusal(plain)
    (plain / name).unlink()
    (plain / name).symlink_to(Path(name).name)  # to itself
    assert f"plain/{name}: " in _refusal(plain)


def test_pipes_are_refused(plain: Path) -> None:
    os.mkfifo(plain / "b" / "9.png")
    assert "9.png: is neither a file nor a folder" in _refusal(plain)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_folders_that_cannot_be_read_are_refused(plain: Path) -> None:
    (plain / "b").chmod(0)
    try:
        assert "plain/b: cannot be read" in _refusal(plain)
    finally:
        (plain / "b").chmod(stat.S_IRWXU)


_OTHERS = ["9.webp", "9.tif", "9.TIFF", "9.bmp", "9.gif", "9.ppm", "9.PNG", "9.JpG", "9.jp2"]


@pytest.mark.parametrize("name", [*_OTHERS, "9.qoi", "9.pcx", "9.tga", "9.dib", "9.jfif", "9.pgm"])
def test_all_formats_are_read_whatever_stands_beside_them(name: str, plain: Path) -> None:
    suffix = Path(name).suffix.lower()
    image = Image.new("L" if suffix == ".pgm" else "RGB", (4, 4), 77 if suffix == ".pgm" else "red")
    image.save(plain / "b" / name, quality=100)
    images = list(_open(plain).images())
    assert len(images) == 5
    expected = [77, 77, 77] if suffix == ".pgm" else [255, 0, 0]
    assert images[-1].pixels[:, 2, 2].tolist() == pytest.approx(expected, abs=3)
    assert images[-1].pixels.shape == (3, 4, 4)


@pytest.mark.parametrize(
    "name",
    ["9.npy", "9.npz", "9.pt", "9.zip", "9.svg", "9.heic", "9.exr", "9.pdf", "9.mp4", "9", "9.mat"],
)
def test_what_may_hold_images_and_is_not_read_is_refused(name: str, plain: Path) -> None:
    (plain / "b" / name).write_bytes(b"anything")
    assert f"'b/{name}': neither an image of a format that is read" in _refusal(plain)
    (plain / "0.parquet").write_bytes(b"")
    assert "'0.parquet' and 1 more: neither" in _refusal(plain)


def test_a_stored_link_is_refused_as_a_file_that_may_be_images(plain: Path) -> None:
    (plain / "c").write_text("../elsewhere", encoding="utf-8")  # as git does without links
    assert "'c': neither an image" in _refusal(plain)


def test_labels_notes_and_hidden_files_are_left_out_and_counted(plain: Path) -> None:
    digest = _open(plain).digest()
    for name in ("README", "a/labels.JSON", "b/labels.json", "Thumbs.db", ".DS_Store", "a/._0.png"):
        (plain / name).write_bytes(b"no image")
    _image(plain / ".ipynb_checkpoints" / "0-checkpoint.png", 9)
    source = _open(plain)
    assert _levels(plain) == [0, 1, 2, 3]
    assert source.digest() == digest
    assert source.left_out() == {".db": 1, ".json": 2, "README": 1, "hidden": 3}


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "none" / "a").mkdir(parents=True)
    assert "none: holds no images (.png" in _refusal(tmp_path / "none")
    (tmp_path / "none" / "a" / ".0.png").write_bytes(b"")
    (tmp_path / "none" / "LICENSE").write_bytes(b"")
    assert "none: holds no images (.png" in _refusal(tmp_path / "none")


def _zipped(folder: Path, *more: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
        for name, content in more:
            archive.writestr(name, content)
    return path


def _zip_refusal(path: Path) -> str:
    source = _open(path)
    for asked in (source.left_out, lambda: list(source.images())):
        with pytest.raises(BenchError) as caught:
            asked()
    return str(caught.value)


def test_zips_follow_the_same_rules(plain: Path) -> None:
    _image(plain / "b" / "4.WEBP", 4)
    assert len(_levels(_zipped(plain))) == 5
    kept = _zipped(plain, ("dataset.json", b"{}"), ("__MACOSX/a/._0.png", b"x"), (".a/0.png", b""))
    assert len(_levels(kept)) == 5
    assert _open(kept).left_out() == {".json": 1, "hidden": 2}
    assert "'b/9.npy': neither an image" in _zip_refusal(_zipped(plain, ("b/9.npy", b"")))
    link = zipfile.ZipInfo("c")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "c is a link; pack the file" in _zip_refusal(_zipped(plain, (link, b"a")))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = _zipped(plain, ("a/0.png", b""))
    assert "holds 'a/0.png' 2 times" in _zip_refusal(twice)
