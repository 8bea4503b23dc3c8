"""BibTeX of the papers that plugins rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from bench.render.labels import slug
from bench.render.latex import escape

_HEAD = re.compile(r"@\w+\s*(\{)\s*([\w:.+/-]+)\s*,")
_ARXIV = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})", re.IGNORECASE)
_LOCAL = re.compile(r"^  cited_as = \{.*\}\n?", re.MULTILINE)
_YEAR = re.compile(r"\b(1[6-9]\d\d|20\d\d)\b")
_FAMILY = re.compile(r"[A-Za-z]+")

ALWAYS = ("song2021score", "karras2022elucidating")
"""Papers that the protocol itself rests on."""


@dataclass(frozen=True)
class Citation:
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


def parse_bibtex(text: str) -> Iterator[Citation]:
    """Yield the entries of a BibTeX file; what has no end is left out."""
    place = 0
    while head := _HEAD.search(text, place):
        place = head.end()
        end = _closing_brace(text, head.start(1))
        if end is not None:
            place = end + 1
            entry = text[head.start() : place]
            shown = re.sub(r",\n\}$", "\n}", _LOCAL.sub("", entry))
            yield Citation(head[2], shown, _value(entry, "eprint"), _value(entry, "cited_as"))


@lru_cache(maxsize=1)
def known() -> tuple[Citation, ...]:
    """Return the entries that the package has itself."""
    text = (files("bench.report") / "data" / "references.bib").read_text(encoding="utf-8")
    return tuple(parse_bibtex(text))


def cite(reference: str, bibtex: str = "") -> tuple[Citation, ...]:
    """Return the entries of one plugin: its own, or else those that its reference names.

    A reference to a paper that the package does not know gets an entry made of its own words.
    These may be anybody's: in the entry they are escaped, in its key only letters and digits of
    them remain.

    Args:
        reference: the papers, in words.
        bibtex: the entries that the plugin carries; "" for none.
    """
    if own := tuple(parse_bibtex(bibtex)):
        return own
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


def always() -> tuple[Citation, ...]:
    """Return the entries that every report cites."""
    return tuple(entry for entry in known() if entry.key in ALWAYS)


def bibtex_file(entries: Iterable[Citation]) -> str:
    """Join the entries, each once, by key."""
    unique = {entry.key: entry.text for entry in entries}
    return "\n\n".join(unique[key] for key in sorted(unique)) + "\n"


def _closing_brace(text: str, opening: int) -> int | None:
    depth = 0
    for place in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _value(entry: str, name: str) -> str:
    found = re.search(r"^  " + name + r" = \{(.*)\},?$", entry, re.MULTILINE)
    return found.group(1) if found else ""


def _misc(reference: str, numbers: Sequence[str]) -> Citation:
    family, year = _FAMILY.search(reference), _YEAR.search(reference)
    stem = slug(reference).replace("-", "")[:24]
    name = f"{(family.group() if family else 'unnamed').lower()}{year.group() if year else ''}"
    fields = [f"  note = {{{escape(reference)}}}"]
    fields += [f"  year = {{{year.group()}}}"] if year else []
    fields += [f"  eprint = {{{numbers[0]}}}", "  archiveprefix = {arXiv}"] if numbers else []
    key = f"{name}-{stem}"
    return Citation(key, f"@misc{{{key},\n" + ",\n".join(fields) + "\n}", *numbers[:1])
