"""The switch that forbids the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "BENCH_OFFLINE"


def offline() -> bool:
    """Tell whether BENCH_OFFLINE forbids the network."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")


@contextmanager
def network(allowed: bool) -> Iterator[None]:
    """Forbid the network to what runs within and to its processes, unless it is ``allowed``."""
    before = os.environ.get(VARIABLE)
    if not allowed:
        os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
