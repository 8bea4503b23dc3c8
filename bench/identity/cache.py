"""Files and places of modules, each read or looked up once for many identities."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.identity.content import Content, Unit, content_of
from bench.identity.places import Place, place_of


@dataclass(frozen=True)
class CodeCache:
    """The files and places that were looked up so far.

    Attributes:
        known: modules of the host that are accounted for elsewhere and not followed.
        whole: take packages as a whole, with their data; else a module alone, without what runs
            above it or lies beside it.
    """

    known: frozenset[str] = frozenset()
    whole: bool = True
    _contents: dict[Unit, Content | OSError] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)

    def content(self, unit: Unit) -> Content | OSError:
        """A unit's content, or why it cannot be read."""
        if unit not in self._contents:
            try:
                self._contents[unit] = content_of(unit)
            except OSError as error:
                self._contents[unit] = error
        return self._contents[unit]

    def place(self, name: str) -> Place:
        """The place that the module ``name`` leads to."""
        if name not in self._places:
            known = name in self.known
            self._places[name] = Place(True) if known else place_of(name, self.whole)
        return self._places[name]
