"""Every path and every name of this repository that the documentation mentions exists."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    if (ROOT / "docs").exists()
    else []
)

PATH = re.compile(r"(?<![\w./-])(?:bench|plugins|tests|docs|ci)/[\w./*-]*[\w*]")
NAME = re.compile(
    r"(?<![\w./])(?:bench|bench_plugins|bench_train|bench_latents|bench_claims)(?:\.[A-Za-z_]\w*)+"
)
CODE = re.compile(r"`([^`\n]+)`")
# Places in these paths, to be filled in.
PLACEHOLDERS = ("NAME",)


def _ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_paths_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = {path for path in PATH.findall(text) if not any(p in path for p in PLACEHOLDERS)}
    missing = sorted(path for path in paths if not any(ROOT.glob(path)))
    assert not missing, f"{_ids(page)} mentions {', '.join(missing)}"


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = sorted(name for name in set(_names(text)) if not _exists(name))
    assert not missing, f"{_ids(page)} mentions {', '.join(missing)}"


def _names(text: str) -> Iterator[str]:
    """Dotted names in backticks, in imports of examples and in directives of mkdocstrings."""
    for code in CODE.findall(text):
        yield from NAME.findall(code)
    for module, names in re.findall(r"^from (bench[\w.]*) import ([\w, ]+)$", text, re.MULTILINE):
        yield from (f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(","))
    yield from re.findall(r"^::: (\S+)$", text, re.MULTILINE)


def _exists(name: str) -> bool:
    """Tell whether ``name`` is a module, or a name in one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        try:
            if find_spec(module) is None:
                continue
        except ModuleNotFoundError:  # its parent is no package
            continue
        item: object = importlib.import_module(module)
        for attribute in parts[end:]:
            if not hasattr(item, attribute):
                return False
            item = getattr(item, attribute)
        return True
    return False


def test_missing_ones_would_be_found() -> None:
    assert not _exists("bench.core.no_such_module")
    assert not _exists("bench.api.no_such_name")
    assert _exists("bench.api.Stepper.start")
    assert _exists("bench.results.frame")
    (path,) = PATH.findall("see `bench/no_such_file.py`.")
    assert path == "bench/no_such_file.py"
