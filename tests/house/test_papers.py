"""A paper that several families name has one entry."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import bench_plugins
from bench.api import paper
from bench.core.denoising import PAPERS
from bench.registry import Kind, load_registry

_KEY = re.compile(r"@\w+\{([^,\s]+),")


def test_every_entry_stands_once() -> None:
    texts = [(files("bench.core") / "papers.bib").read_text(encoding="utf-8")]
    folder = Path(bench_plugins.__file__).parent
    texts += [path.read_text(encoding="utf-8") for path in folder.glob("*/papers.py")]
    found = Counter(key for text in texts for key in _KEY.findall(text))
    assert found
    assert [key for key, times in found.items() if times > 1] == []


def test_shared_entries_are_whole_and_used() -> None:
    text = (files("bench.core") / "papers.bib").read_text(encoding="utf-8")
    used = "".join(entry.cls.bibtex for entry in load_registry().of(*Kind))
    used += "".join(entry for _, entry in PAPERS.values())
    for key in _KEY.findall(text):
        assert paper(key).startswith("@")
        assert paper(key).endswith("\n}\n")
        assert paper(key) in used
