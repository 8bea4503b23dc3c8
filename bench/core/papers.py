"""BibTeX of papers that several families of plugins, or the protocol itself, rest on."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files


def paper(key: str) -> str:
    """The entry with this BibTeX key in bench/core/papers.bib; KeyError if there is none."""
    return _entries()[key]


@lru_cache(maxsize=1)
def _entries() -> dict[str, str]:
    text = (files("bench.core") / "papers.bib").read_text(encoding="utf-8")
    return {found[2]: found[1] for found in re.finditer(r"(?ms)^(@\w+\{(\S+?),$.*?^\}\n)", text)}
