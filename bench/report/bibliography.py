"""From the references that plugins name to BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from bench.render.labels import slug
from bench.render.latex import escape as escaped

_ENTRY = re.compile(r"^@\w+\{([^,]+),$.*?^\}$", re.MULTILINE | re.DOTALL)
_ARXIV = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})", re.IGNORECASE)
_LOCAL = re.compile(r"^  cited_as = \{.*\}\n?", re.MULTILINE)
_YEAR = re.compile(r"\b(1[6-9]\d\d|20\d\d)\b")
_FAMILY = re.compile(r"[A-Za-z]+")

ALWAYS = ("song2021score", "karras2022elucidating")
"""What the protocol itself rests on."""


@dataclass(frozen=True)
class Entry:
    """A BibTeX entry.

    Attributes:
        key: to cite it by.
        text: of the entry.
        eprint: its arXiv number, or "".
        cited_as: the words that a reference names it with, or "".
    """

    key: str
    text: str
    eprint: str = ""
    cited_as: str = ""


@lru_cache(maxsize=1)
def known() -> tuple[Entry, ...]:
    """The entries that the package has in full."""
    text = (files("bench.report") / "data" / "references.bib").read_text(encoding="utf-8")
    return tuple(
        Entry(
            found.group(1),
            re.sub(r",\n\}$", "\n}", _LOCAL.sub("", found.group())),
            _field(found.group(), "eprint"),
            _field(found.group(), "cited_as"),
        )
        for found in _ENTRY.finditer(text)
    )


def cited(reference: str) -> tuple[Entry, ...]:
    """The entries of one plugin's reference; one made of its own words where none is known.

    The words may be anybody's: in the entry they are escaped, in its key only letters and digits
    of them remain.
    """
    if not reference.strip():
        return ()
    numbers = _ARXIV.findall(reference)
    by_number = {entry.eprint: entry for entry in known() if entry.eprint}
    found = [by_number[number] for number in numbers if number in by_number]
    found += [e for e in known() if e.cited_as and e.cited_as in reference]
    strange = [number for number in numbers if number not in by_number]
    if found and not strange:
        return tuple(dict.fromkeys(found))
    return (*dict.fromkeys(found), _misc(reference, strange))


def always() -> tuple[Entry, ...]:
    """The entries that every report cites."""
    return tuple(entry for entry in known() if entry.key in ALWAYS)


def bibtex(entries: Iterable[Entry]) -> str:
    """A file of the entries, each once, by key."""
    unique = {entry.key: entry.text for entry in entries}
    return "\n\n".join(unique[key] for key in sorted(unique)) + "\n"


def _field(entry: str, name: str) -> str:
    found = re.search(r"^  " + name + r" = \{(.*)\},?$", entry, re.MULTILINE)
    return found.group(1) if found else ""


def _misc(reference: str, numbers: Sequence[str]) -> Entry:
    family, year = _FAMILY.search(reference), _YEAR.search(reference)
    stem = slug(reference).replace("-", "")[:24]
    name = f"{(family.group() if family else 'unnamed').lower()}{year.group() if year else ''}"
    fields = [f"  note = {{{escaped(reference)}}}"]
    fields += [f"  year = {{{year.group()}}}"] if year else []
    fields += [f"  eprint = {{{numbers[0]}}}", "  archiveprefix = {arXiv}"] if numbers else []
    key = f"{name}-{stem}"
    return Entry(key, f"@misc{{{key},\n" + ",\n".join(fields) + "\n}", *numbers[:1])
