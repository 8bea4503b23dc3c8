"""Lists of numbers as one option."""

from __future__ import annotations

from bench.extend import BenchError


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """Return the numbers of a text such as 16,32,32.

    Raises:
        BenchError: it holds something else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise BenchError(f"{option} '{text}': give whole numbers such as 16,32,32") from error
