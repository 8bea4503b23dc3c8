"""The error of a file that can be fetched."""

from __future__ import annotations

from bench.core.errors import BenchError


class NotFetchedError(BenchError):
    """A published file is not on this machine yet; says how to get it."""
