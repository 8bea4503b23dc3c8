"""Guards the process against the code of strangers: their changes to its state, their hanging."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from bench.project import PROJECT
from bench.registry.point import WITHOUT, PluginPoint
from bench.state import Changes, undo_changes

_SLOW_IMPORT_S = 20.0


def guard_state(distribution: str) -> contextlib.AbstractContextManager[Changes]:
    """Undo what code of ``distribution`` changes of the process's state in the block.

    The host's own plugins change nothing, which a test holds them to.
    """
    return contextlib.nullcontext(Changes()) if distribution == PROJECT else undo_changes()


@contextlib.contextmanager
def warn_if_slow(point: PluginPoint) -> Iterator[None]:
    """Name the plugin whose import does not end: else the host just seems to hang."""
    message = (
        f"bench: still importing plugin '{point.name}' of '{point.distribution}'; "
        f"interrupt and set {WITHOUT}={point.name} to leave it out"
    )
    timer = threading.Timer(_SLOW_IMPORT_S, print, [message], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # the server that workers are copied from has no other thread
