"""The errors that reach a user as one clear line instead of a traceback."""

from __future__ import annotations


class BenchError(Exception):
    """A mistake that the user can mend. The message names the place, the cause and the remedy."""


class UnsupportedError(BenchError):
    """A combination that has no meaning (an NLL of a stochastic sampler, say).

    Raised by plugins; the cell is recorded with status ``unsupported`` and the reason.
    """
