"""An edit of any file that some code rests on is another identity; of other files it is not."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path

import pytest

from bench.api import BenchError, UnknownCodeError, code_identity
from bench.identity.walk import Identity

Write = Callable[..., Path]
Look = Callable[..., Identity]

PACKAGE = {
    "idt/__init__.py": "",
    "idt/models.py": "from idt.layers import SCALE",
    "idt/layers.py": "SCALE = 1.0",
}


@pytest.mark.parametrize(
    ("files", "root", "edited"),
    [
        (PACKAGE, "idt.models", "idt/layers.py"),
        (PACKAGE, "idt.models", "idt/__init__.py"),
        (PACKAGE | {"idt/net.json": "1"}, "idt.models", "idt/net.json"),
        (PACKAGE | {"idt/data/w.safetensors": b"\0\1"}, "idt.models", "idt/data/w.safetensors"),
        (PACKAGE | {"idt/unread.py": ""}, "idt.models", "idt/unread.py"),  # imported by a string
        (  # siblings of a module that is in no package
            {
                "idt_one.py": "import idt_two",
                "idt_two.py": "from idt_three import *",
                "idt_three.py": "x = 1",
            },
            "idt_one",
            "idt_three.py",
        ),
        (  # two packages, the second imported in a function
            {
                "idt/__init__.py": "def f():\n  import idt_b.deep",
                "idt_b/__init__.py": "",
                "idt_b/deep.py": "x = 1",
            },
            "idt",
            "idt_b/deep.py",
        ),
        (  # a package imports its parent's sibling, two levels up
            {
                "idt/__init__.py": "",
                "idt/a/__init__.py": "",
                "idt/a/b/__init__.py": "",
                "idt/a/b/c.py": "from ...far import x",
                "idt/far.py": "from idt_c import x",
                "idt_c.py": "x = 1",
            },
            "idt.a.b.c",
            "idt_c.py",
        ),
        (  # a branch that is not taken here
            {
                "idt.py": "if False:\n  import idt_b\nelse:\n  import idt_c",
                "idt_b.py": "x = 1",
                "idt_c.py": "",
            },
            "idt",
            "idt_b.py",
        ),
        (  # no __init__ anywhere
            {
                "idt_ns/nets/unet.py": "from idt_ns.parts import block",
                "idt_ns/parts/block.py": "x = 1",
            },
            "idt_ns.nets.unet",
            "idt_ns/parts/block.py",
        ),
        (
            {"idt_ns/nets/unet.py": "", "idt_ns/config/net.yaml": "1"},
            "idt_ns.nets.unet",
            "idt_ns/config/net.yaml",
        ),
        ({"idt_ns/nets/unet.py": "x = 1"}, "idt_ns.nets.unet", "idt_ns/nets/unet.py"),
        (  # a submodule, by a name that may be an attribute
            {"idt.py": "from idt_ns import block", "idt_ns/block.py": "x = 1"},
            "idt",
            "idt_ns/block.py",
        ),
        (  # by a string
            {
                "idt.py": "import importlib as i\ni.import_module('idt_b.c')",
                "idt_b/__init__.py": "",
                "idt_b/c.py": "x",
            },
            "idt",
            "idt_b/c.py",
        ),
        (  # below a package, whichever
            {
                "idt/__init__.py": "import importlib as i\ni.import_module(f'{__name__}.nets.{x}')",
                "idt/nets/__init__.py": "",
                "idt/nets/a.py": "import idt_b",
                "idt_b.py": "x = 1",
            },
            "idt",
            "idt_b.py",
        ),
        (  # a module that is made when it is asked for
            {
                "idt/__init__.py": "def __getattr__(name):\n  from . import lazy\n  return lazy",
                "idt/lazy.py": "import idt_b",
                "idt_b.py": "x = 1",
            },
            "idt",
            "idt_b.py",
        ),
        (  # a compiled module, in a package and beside one
            {
                "idt/__init__.py": "from idt import fast",
                f"idt/fast{EXTENSION_SUFFIXES[0]}": b"\x7fELF",
            },
            "idt",
            f"idt/fast{EXTENSION_SUFFIXES[0]}",
        ),
        (
            {"idt.py": "import idt_fast", f"idt_fast{EXTENSION_SUFFIXES[-1]}": b"\x7fELF"},
            "idt",
            f"idt_fast{EXTENSION_SUFFIXES[-1]}",
        ),
        (  # a circle
            {"idt_a.py": "import idt_b", "idt_b.py": "import idt_a, idt_c", "idt_c.py": "x = 1"},
            "idt_a",
            "idt_c.py",
        ),
    ],
)
def test_an_edit_is_another_identity(
    write: Write, look: Look, files: dict[str, str | bytes], root: str, edited: str
) -> None:
    write(files)
    before = look(root)
    assert not before.doubts
    assert look(root) == before
    content = files[edited]
    write({edited: content + (b"2" if isinstance(content, bytes) else "2")})
    assert look(root).code != before.code
    write({edited: content})
    assert look(root) == before


@pytest.mark.parametrize(
    "other",
    [
        "README.md",
        "idt_other.py",
        "idt_other/__init__.py",
        "idt/__pycache__/x.pyc",
        "idt/.git/HEAD",
    ],
)
def test_other_files_change_nothing(write: Write, look: Look, other: str) -> None:
    write(PACKAGE)
    before = look("idt.models")
    write({other: "1"})
    assert look("idt.models") == before


def test_nothing_is_run(write: Write, look: Look) -> None:
    write({"idt/__init__.py": "raise SystemExit", "idt/a.py": "import idt_b", "idt_b.py": "1 / 0"})
    assert {name for name, _, _ in look("idt.a").files} == {"idt", "idt_b"}
    assert not {"idt", "idt_b"} & set(sys.modules)


def test_a_place_is_no_content(
    write: Write, look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = write(PACKAGE)
    before = look("idt.models")
    (here / "idt").rename(tmp_path.parent / "idt")
    try:
        monkeypatch.syspath_prepend(tmp_path.parent)
        assert look("idt.models") == before
    finally:
        (tmp_path.parent / "idt").rename(here / "idt")


def test_a_zip(write: Write, look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "code.zip"

    def pack(scale: str) -> None:
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in PACKAGE.items():
                file.writestr(name, content.replace("1.0", scale))
            file.writestr("idt/net.json", "1")
            file.writestr("idt_alone.py", f"import idt.models; x = {scale}")

    pack("1.0")
    monkeypatch.syspath_prepend(archive)
    first = look("idt_alone")
    assert not first.doubts
    assert {name for name, _, _ in first.files} == {"idt", "idt_alone"}
    assert ("idt", "net.json") in {file[:2] for file in first.files}
    in_folder = {file for file in first.files if file[0] == "idt"}
    pack("0.2")
    sys.path_importer_cache.clear()
    assert look("idt_alone").code != first.code
    pack("1.0")
    archive.rename(tmp_path / "gone.zip")
    sys.path_importer_cache.clear()
    write({**PACKAGE, "idt/net.json": "1"})
    assert set(look("idt.models").files) == in_folder  # the same packed and unpacked


def test_links_in_a_circle_and_linked_data(write: Write, look: Look) -> None:
    root = write({**PACKAGE, "elsewhere/w.bin": b"1"})
    (root / "idt/data").symlink_to(root / "elsewhere")
    (root / "idt/again").symlink_to(root / "idt")
    before = look("idt.models")
    assert ("idt", "data/w.bin") in {file[:2] for file in before.files}
    write({"elsewhere/w.bin": b"2"})
    assert look("idt.models").code != before.code


def test_a_library_counts_by_its_version(write: Write, look: Look) -> None:
    write({"idt.py": "import scipy.linalg\nfrom PIL import Image\nimport torch, math"})
    found = look("idt")
    assert [name.split()[0] for name in found.libraries] == ["pillow", "scipy"]
    assert {name for name, _, _ in found.files} == {"idt"}


def test_a_module_that_hides_one_of_the_standard_library(write: Write, look: Look) -> None:
    write({"idt.py": "import antigravity", "antigravity.py": "x = 1"})
    assert {name for name, _, _ in look("idt").files} == {"idt", "antigravity"}


def test_what_is_absent_counts_once_it_is_there(write: Write, look: Look) -> None:
    write({"idt.py": "try:\n  import idt_extra\nexcept ImportError:\n  idt_extra = None"})
    before = look("idt")
    assert before.absent == ("idt_extra",)
    write({"idt_extra.py": ""})
    assert look("idt").code != before.code


def test_the_host_is_followed_where_it_is_no_part_of_the_core(write: Write, look: Look) -> None:
    write({"idt.py": "from bench.api import Plugin\nfrom bench.scaffold import package"})
    names = {name for name, _, _ in look("idt").files}
    assert {"bench.scaffold.package", "idt"} <= names
    assert not {"bench.api", "bench.core.plugin", "bench.report"} & names


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"idt.py": "import importlib\nimportlib.import_module(x)"},
            "module 'idt' runs code that reading cannot follow: importlib.import_module in line 2",
        ),
        ({"idt.py": "import idt_b", "idt_b.py": "exec(x)"}, "module 'idt_b' runs code .*: exec"),
        (
            {"idt.py": "import sys\nsys.path.append('lib')\nimport idt_lost"},
            "'idt_lost' is not found",
        ),
        ({"idt/__init__.py": "import idt.b", "idt/b.pyc": b"\0"}, "module 'idt.b' has no source"),
        ({"idt.pyc": b"\0"}, "module 'idt' has no source"),
        (
            {"idt.py": "__import__('idt_ns.' + x)", "idt_ns/a.py": ""},
            "a module below 'idt_ns' is chosen at run time",
        ),
    ],
)
def test_where_it_cannot_be_told(
    write: Write, look: Look, files: dict[str, str | bytes], reason: str
) -> None:
    write(files)
    (doubt,) = look("idt").doubts
    with pytest.raises(UnknownCodeError, match=reason):
        code_identity("idt")
    assert doubt


def test_what_is_never_run_leaves_no_doubt(write: Write, look: Look) -> None:
    write({**PACKAGE, "idt/train.py": "exec(x)", "idt/tool.pyc": b"\0"})
    assert not look("idt.models").doubts
    assert look("idt.train").doubts


def test_a_module_from_no_file(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder(PathFinder):
        @classmethod
        def find_spec(cls, name, path=None, target=None):  # type: ignore[no-untyped-def]
            return ModuleSpec(name, None, origin="a data base") if name == "idt_db" else None

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert look("idt_db").doubts == ("module 'idt_db' comes from no file",)


def test_a_finder_that_breaks_is_passed_over(
    write: Write, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None:
            raise RuntimeError

    write({"idt.py": ""})
    monkeypatch.setattr(sys, "meta_path", [Finder, object(), *sys.meta_path])
    assert look("idt").files


def test_a_file_that_cannot_be_read(write: Write, look: Look) -> None:
    root = write({"bad.zip": b"no zip", **PACKAGE})
    (root / "idt/layers.py").unlink()
    (root / "idt/layers.py").mkdir()
    assert not look("idt.models").doubts  # a folder with an odd name
    (root / "idt/layers.py").rmdir()
    assert look("idt.models").absent == ("idt.layers",)


def test_a_module_that_is_nowhere() -> None:
    with pytest.raises(BenchError, match=r"'idt_nowhere' cannot be imported.*PYTHONPATH=\."):
        code_identity("idt_nowhere")
    with pytest.raises(BenchError, match="cannot be imported"):
        code_identity("math.idt_nowhere")


def test_modules_alone(write: Write) -> None:
    write({**PACKAGE, "idt/__init__.py": "import idt_b", "idt_b.py": "", "idt/side.py": ""})
    whole, alone = (code_identity("idt.models", packages=flag) for flag in (True, False))
    write({"idt/side.py": "1", "idt/__init__.py": "", "idt_b.py": "1"})
    assert code_identity("idt.models") != whole
    assert code_identity("idt.models", packages=False) == alone
    write({"idt/layers.py": "SCALE = 2.0"})
    assert code_identity("idt.models", packages=False) != alone
