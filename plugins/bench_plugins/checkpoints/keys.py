"""Every key of a foreign configuration, and what becomes of it: honoured, refused or irrelevant.

The tables themselves lie beside their readers; docs/checkpoints.md shows what `markdown` makes of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.api import BenchError

Effect = Literal["honoured", "refused", "irrelevant"]


@dataclass(frozen=True)
class Key:
    """A key of a configuration.

    Attributes:
        name: as the file spells it.
        effect: `honoured`: it changes the network's input or meaning, and is taken into
            account (values that are not known are refused); `refused`: with any value that
            changes something; `irrelevant`: it changes nothing of that.
        meaning: what it decides.
    """

    name: str
    effect: Effect
    meaning: str


@dataclass(frozen=True)
class KeyTable:
    """The keys of one kind of file.

    Attributes:
        title: what file it is.
        keys: every key that is known.
    """

    title: str
    keys: tuple[Key, ...]

    def of(self, name: str) -> Key | None:
        """The key of this name; None: it is not known."""
        return next((key for key in self.keys if key.name == name), None)

    def names(self, *effects: Effect) -> frozenset[str]:
        """The names of all keys with one of these effects (of all keys without any)."""
        return frozenset(key.name for key in self.keys if not effects or key.effect in effects)

    def check(self, record: Mapping[str, object], place: str) -> None:
        """Refuses keys that are not known.

        Raises:
            BenchError: names the first of them.
        """
        for name in record:
            if self.of(str(name)) is None:
                raise unknown_key(place, str(name), self.title)


def unknown_key(place: str, name: str, title: str) -> BenchError:
    """The error of a key whose effect is not known."""
    return BenchError(
        f"{place}: {name[:80]}: a key that is not known here ({title}), so that it may change what "
        "the network means; remove it if it does not (docs/checkpoints.md lists those known)"
    )


def keys(effect: Effect, **meanings: str) -> tuple[Key, ...]:
    """Keys of one effect, by name."""
    return tuple(Key(name, effect, text) for name, text in meanings.items())


def same_keys(effect: Effect, meaning: str, names: str) -> tuple[Key, ...]:
    """Keys (names apart by spaces) of which the same is to be said."""
    return tuple(Key(name, effect, meaning) for name in names.split())


def markdown(tables: Iterable[KeyTable]) -> str:
    """The tables as Markdown; keys of which the same is said share a line."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: KeyTable) -> str:
    rows = [f"#### {table.title}\n", "| key | | |", "|---|---|---|"]
    grouped: dict[tuple[str, str], list[str]] = {}
    for key in table.keys:
        grouped.setdefault((key.effect, key.meaning), []).append(key.name)
    rows += [
        f"| {_code(names)} | {effect} | {meaning} |" for (effect, meaning), names in grouped.items()
    ]
    return "\n".join(rows) + "\n"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
