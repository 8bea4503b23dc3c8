"""What a source imports, and what of it cannot be read."""

from __future__ import annotations

import pytest

from bench.identity.reading import Imports, imports_of


def _read(source: str, name: str = "pkg.inner.module", package: str = "pkg.inner") -> Imports:
    return imports_of(source.encode(), name, package)


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d, e", {"a.b.c", "e"}),
        ("from a.b import c", {"a.b"}),
        ("from . import sibling", {"pkg.inner"}),
        ("from .. import above", {"pkg"}),
        ("from ..other.deep import name", {"pkg.other.deep"}),
        ("from a import *", {"a"}),
        ("def f():\n    import a", {"a"}),
        ("class C:\n  async def f(self):\n    with x:\n      from a import b", {"a"}),
        ("if x:\n  import a\nelif y:\n  import b\nelse:\n  import c", {"a", "b", "c"}),
        (
            "try:\n import a\nexcept E:\n import b\nelse:\n import c\nfinally:\n import d",
            set("abcd"),
        ),
        ("match x:\n  case 1:\n    import a", {"a"}),
        ("for i in x:\n  import a\nelse:\n  import b", {"a", "b"}),
        ("while x:\n  import a", {"a"}),
        ("pattern = '\\d'\nimport a", {"a"}),  # Python warns of the escape
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import a", {"typing", "a"}),
        ("def __getattr__(name):\n  from . import lazy\n  return lazy", {"pkg.inner"}),
    ],
)
def test_imports_wherever_they_stand(source: str, modules: set[str]) -> None:
    found = _read(source)
    assert found.modules == modules
    assert not found.unreadable


def test_names_that_may_be_modules() -> None:
    assert _read("from a import b, c as d").maybe == {"a.b", "a.c"}
    assert _read("from . import b").maybe == {"pkg.inner.b"}
    assert _read("from a import *").maybe == frozenset()


def test_relative_imports_end_at_the_top_package() -> None:
    assert _read("from .... import x") == Imports()
    assert _read("from . import x", "alone", "") == Imports()


@pytest.mark.parametrize(
    ("source", "modules", "below"),
    [
        ("import importlib\nimportlib.import_module('a.b')", {"importlib", "a.b"}, set()),
        ("from importlib import import_module as load\nload('a')", {"importlib", "a"}, set()),
        (
            "import importlib as i\ni.import_module('.x', __package__)",
            {"importlib", "pkg.inner.x"},
            set(),
        ),
        (
            "import importlib as i\ni.import_module('..x', package='p.q')",
            {"importlib", "p.x"},
            set(),
        ),
        ("__import__('a.b')", {"a.b"}, set()),
        ("from importlib import resources\nresources.files('a.b')", {"importlib", "a.b"}, set()),
        ("import pkgutil\npkgutil.get_data('a', 'x.json')", {"pkgutil", "a"}, set()),
        (
            "import importlib\nimportlib.import_module(f'{__name__}.{x}')",
            {"importlib"},
            {"pkg.inner.module"},
        ),
        (
            "import importlib\nimportlib.import_module(__package__ + '.' + x)",
            {"importlib"},
            {"pkg.inner"},
        ),
        ("import importlib\nimportlib.import_module('a.b.c_' + x)", {"importlib"}, {"a.b"}),
        (
            "import importlib\nimportlib.import_module('.' + x, __package__)",
            {"importlib"},
            {"pkg.inner"},
        ),
        ("import importlib\nimportlib.import_module(f'.{x}', 'p.q')", {"importlib"}, {"p.q"}),
        ("import importlib\nimportlib.import_module('.nets.' + x, 'p')", {"importlib"}, {"p.nets"}),
    ],
)
def test_imports_by_name(source: str, modules: set[str], below: set[str]) -> None:
    found = _read(source)
    assert (found.modules, found.below) == (modules, below)
    assert not found.unreadable


@pytest.mark.parametrize(
    "source",
    [
        "import importlib\nimportlib.import_module(name)",
        "import importlib\nimportlib.import_module('nets' + name)",
        "import importlib\nimportlib.import_module(name, __package__)",
        "import importlib\nimportlib.import_module('.' + name, package)",
        "import importlib\nload = importlib.import_module",
        "from importlib import import_module\nimport_module(*names)",
        "__import__(name)",
        "exec(text)",
        "value = eval(text)",
        "list(map(eval, texts))",
        "from importlib.util import spec_from_file_location as s\ns('a', path)",
        "import runpy\nrunpy.run_path('a.py')",
        "import torch\ntorch.hub.load('someone/repo', 'net')",
        "from torch import hub\nhub.load('someone/repo', 'net')",
        "import pickle\npickle.load(file)",
        "import ctypes\nctypes.CDLL('lib.so')",
        "AutoModel.from_pretrained('x', trust_remote_code=True)",
        "from hydra.utils import instantiate\ninstantiate(config)",
        "from importlib.metadata import entry_points\nentry_points(group='x')",
    ],
)
def test_what_reading_cannot_follow(source: str) -> None:
    (what, *_) = _read(source).unreadable
    assert f"in line {source.count(chr(10)) + 1}" in what


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile('x')",
        "import torch\ntorch.load(path)",
        "AutoModel.from_pretrained('x', trust_remote_code=False)",
        "from importlib import metadata, resources\nmetadata.version('x')\nresources.files('y')",
        "import importlib.util\nimportlib.util.find_spec('a')",
        "text = 'exec(1)'  # eval, importlib.import_module(x)",
    ],
)
def test_what_runs_no_other_code(source: str) -> None:
    assert not _read(source).unreadable


@pytest.mark.parametrize("source", ["def broken(:", "\0", "x = (" * 500])
def test_what_has_no_syntax_imports_nothing(source: str) -> None:
    assert _read(source) == Imports()


def test_a_changed_path_is_told() -> None:
    assert _read("import sys\nsys.path.insert(0, 'x')").moves_path
    assert not _read("import os\nos.path.join('x')").moves_path
