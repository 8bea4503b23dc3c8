"""The state of the process at one time, to find and undo what changes it later."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from bench.state.arithmetic import arithmetic_settings
from bench.state.names import Names, watched_names
from bench.state.setting import Setting
from bench.state.surroundings import surrounding_settings

_LONGEST = 60


@dataclass(frozen=True)
class Change:
    """Something that is not as it was.

    Attributes:
        what: what changed, and how, in a few words.
        undone: it is as it was again.
        inherited: child processes would be born with it.
    """

    what: str
    undone: bool
    inherited: bool = False


@dataclass
class Changes:
    """The changes that a block of code made; filled in when the block ends."""

    found: tuple[Change, ...] = ()

    @property
    def summary(self) -> str:
        """All in one line, "" for none."""
        return shorten(change.what for change in self.found)

    @property
    def lasting(self) -> str:
        """Those that could not be undone, in one line, "" for none."""
        return shorten(change.what for change in self.found if not change.undone)

    @property
    def inherited(self) -> str:
        """Those of them that child processes are born with, in one line, "" for none."""
        lasting = (change for change in self.found if not change.undone)
        return shorten(change.what for change in lasting if change.inherited)


_SHOWN = 6


def shorten(items: Iterable[str]) -> str:
    """The first few in one line, and the number of the rest."""
    parts = list(items)
    rest = len(parts) - _SHOWN
    return ", ".join([*parts[:_SHOWN], *([f"and {rest} more"] if rest > 0 else [])])


@dataclass(frozen=True)
class Snapshot:
    """The state as it was when it was taken.

    Attributes:
        settings: with their values.
        names: of modules and classes.
        modules: all that were imported.
        threads: that were running.
    """

    settings: tuple[tuple[Setting, object], ...]
    names: tuple[Names, ...]
    modules: dict[str, ModuleType]
    threads: frozenset[int | None]

    @staticmethod
    def take() -> Snapshot:
        """The state now."""
        settings = (*arithmetic_settings(), *surrounding_settings())
        return Snapshot(
            tuple((setting, setting.value()) for setting in settings),
            tuple(watched_names()),
            dict(sys.modules),
            frozenset(thread.ident for thread in threading.enumerate()),
        )

    def undo(self) -> Iterator[Change]:
        """Bring everything back that can be, and say what it was."""
        # Modules and names first: settings are read and written with functions of theirs.
        yield from self._modules()
        for item in self.names:
            for name in item.changed():
                yield Change(f"{item.label}.{name} was replaced", item.restore(name))
        # All are read before one is set: some set others too.
        now = [(setting, before, setting.value()) for setting, before in self.settings]
        for setting, before, after in now:
            if after != before:
                what, undone = _describe(setting.name, before, after), setting.restore(before)
                yield Change(what, undone, setting.inherited)
        for thread in threading.enumerate():
            if thread.ident not in self.threads:
                yield Change(f"thread '{thread.name}' was left running", undone=False)

    def _modules(self) -> Iterator[Change]:
        for name, module in self.modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
                yield Change(f"module {name} was replaced", undone=True)


def _describe(name: str, before: object, now: object) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(str(k) for k in before.keys() | now.keys() if before.get(k) != now.get(k))
        return f"{name}: {shorten(keys)}"
    shown = f"{name}: {before} became {now}"
    return shown if len(shown) <= len(name) + _LONGEST else f"{name} changed"


@contextmanager
def undo_changes() -> Iterator[Changes]:
    """Undo what the block changes of the process's state, and say what it was.

    The answer is complete when the block has ended, be it by an exception.
    """
    before, changes = Snapshot.take(), Changes()
    try:
        yield changes
    finally:
        changes.found = tuple(before.undo())
