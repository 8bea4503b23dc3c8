"""BibTeX of the papers that plugins rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.core.papers import paper
from bench.render.labels import slug
from bench.render.latex import escape

_HEAD = re.compile(r"@\w+\s*(\{)\s*([\w:.+/-]+)\s*,")
_ARXIV = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})", re.IGNORECASE)
_EPRINT = re.compile(r"\beprint\s*=\s*[{\"]([^}\"]*)")
_YEAR = re.compile(r"\b(1[6-9]\d\d|20\d\d)\b")
_FAMILY = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True)
class BibtexEntry:
    """A BibTeX entry.

    Attributes:
        key: to cite it by.
        text: of the entry.
        eprint: its arXiv number, or "".
    """

    key: str
    text: str
    eprint: str = ""


def parse_bibtex(text: str) -> Iterator[BibtexEntry]:
    """Yield the entries of a BibTeX file; what has no end is left out."""
    place = 0
    while head := _HEAD.search(text, place):
        place = head.end()
        end = _closing_brace(text, head.start(1))
        if end is not None:
            place = end + 1
            entry = text[head.start() : place]
            eprint = _EPRINT.search(entry)
            yield BibtexEntry(head[2], entry, eprint[1] if eprint else "")


@lru_cache(maxsize=1)
def known() -> tuple[BibtexEntry, ...]:
    """Return the entries of the papers that the protocol itself rests on."""
    return tuple(parse_bibtex(paper("song2021score") + paper("karras2022elucidating")))


def cite(reference: str, bibtex: str = "") -> tuple[BibtexEntry, ...]:
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
    found = tuple(dict.fromkeys(by_number[number] for number in numbers if number in by_number))
    strange = [number for number in numbers if number not in by_number]
    return found if found and not strange else (*found, _misc(reference, strange))


def bibtex_file(entries: Iterable[BibtexEntry]) -> str:
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


def _misc(reference: str, numbers: Sequence[str]) -> BibtexEntry:
    family, year = _FAMILY.search(reference), _YEAR.search(reference)
    stem = slug(reference).replace("-", "")[:24]
    name = f"{(family.group() if family else 'unnamed').lower()}{year.group() if year else ''}"
    fields = [f"  note = {{{escape(reference)}}}"]
    fields += [f"  year = {{{year.group()}}}"] if year else []
    fields += [f"  eprint = {{{numbers[0]}}}", "  archiveprefix = {arXiv}"] if numbers else []
    key = f"{name}-{stem}"
    return BibtexEntry(key, f"@misc{{{key},\n" + ",\n".join(fields) + "\n}", *numbers[:1])
