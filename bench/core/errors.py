"""The errors that reach a user as one clear line instead of a traceback."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or the name of its type."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


class BenchError(Exception):
    """A mistake that the user can mend. The message names the place, the cause and the remedy."""


class UnsupportedError(BenchError):
    """A combination that has no meaning (an NLL of a stochastic sampler, say).

    Raised by plugins; the cell is recorded with status ``unsupported`` and the reason.
    """
