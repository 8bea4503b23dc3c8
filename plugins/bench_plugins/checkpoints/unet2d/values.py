"""The values of a configuration, with errors that name key and remedy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.api import BenchError


@dataclass(frozen=True)
class Values:
    """A JSON object and the file that it is of.

    Attributes:
        record: the object.
        place: the file, for messages.
    """

    record: Mapping[str, object]
    place: str

    def error(self, key: str, cause: str) -> BenchError:
        """The error of a key: its cause, and what to do."""
        value = f" {str(self.record[key])[:60]}" if key in self.record else ""
        return BenchError(f"{self.place}: {key}{value}: {cause}")

    def flag(self, key: str) -> bool:
        """True if ``key`` is on.

        Raises:
            BenchError: it is neither true, false nor null.
        """
        value = self.record.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return bool(value)

    def choice(self, key: str, known: Sequence[str], default: str, nullable: bool = False) -> str:
        """One of the ``known`` values; ``nullable``: null stands for the default.

        Raises:
            BenchError: it is another.
        """
        value = self.record.get(key, default)
        if value is None and nullable:
            return default
        if not isinstance(value, str) or value not in known:
            raise self.error(key, f"is not known; it must be one of {', '.join(known)}")
        return value

    def count(self, key: str, default: int, least: int = 2, most: int = 100_000) -> int:
        """A whole number.

        Raises:
            BenchError: it is none, or out of range.
        """
        value = self.record.get(key, default)
        if type(value) is not int or not least <= value <= most:
            raise self.error(key, f"must be a whole number from {least} to {most}")
        return value

    def positive(self, key: str, default: float, nullable: bool = False) -> float:
        """A positive number; ``nullable``: null stands for the default.

        Raises:
            BenchError: it is none.
        """
        value = self.record.get(key, default)
        if value is None and nullable:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value < math.inf
        ):
            raise self.error(key, "is no positive number")
        return float(value)

    def share(self, key: str, default: float) -> float:
        """A number above 0 and below 1.

        Raises:
            BenchError: it is none.
        """
        value = self.positive(key, default)
        if value >= 1:
            raise self.error(key, "must be between 0 and 1")
        return value

    def numbers(self, key: str) -> list[float] | None:
        """A list of numbers; None: there is none.

        Raises:
            BenchError: it is something else.
        """
        value = self.record.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(map(_is_number, value)):
            raise self.error(key, "must be a list of numbers")
        return [float(item) for item in value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
