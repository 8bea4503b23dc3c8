"""A setting of a process that can be read, and set again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A setting of the whole process.

    Attributes:
        name: what people know it by.
        read: gives its value, something that can be compared and shown.
        write: sets a value that was read; None where that can't be done.
        inherited: child processes are born with it.
    """

    name: str
    read: Callable[[], object]
    write: Callable[[Any], object] | None = None
    inherited: bool = False

    def value(self) -> object:
        """The value now, or the error: a setting may be in a state that can't be read."""
        try:
            return self.read()
        except Exception as error:
            return f"cannot be read: {type(error).__name__}"

    def restore(self, value: object) -> bool:
        """Set ``value`` again; False if it is not so then."""
        try:
            if self.write is not None:
                self.write(value)
        except Exception:  # a hard limit, a directory that is gone
            return False
        return self.value() == value


def attribute(name: str, owner: object, key: str) -> Setting:
    """The setting that is an attribute of ``owner``."""
    return Setting(name, lambda: getattr(owner, key), lambda value: setattr(owner, key, value))
