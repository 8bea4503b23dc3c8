"""Settings of the process around the arithmetic: the system's and the interpreter's."""

from __future__ import annotations

import gc
import locale
import os
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from bench.state.setting import Setting, attribute

_LIMITS = tuple(name for name in dir(resource) if name.startswith("RLIMIT_"))


def surrounding_settings() -> Iterator[Setting]:
    """All of them."""
    for setting in _system():
        yield replace(setting, inherited=True)
    yield from _signals()
    yield from _interpreter()


def _system() -> Iterator[Setting]:
    yield Setting("os.environ", _environment, _set_environment)
    yield Setting("os.chdir", os.getcwd, os.chdir)
    yield Setting("os.umask", _umask, os.umask)
    yield Setting("os.nice", lambda: os.getpriority(os.PRIO_PROCESS, 0), _set_priority)
    yield Setting(
        "os.sched_setaffinity",
        lambda: os.sched_getaffinity(0),
        lambda value: os.sched_setaffinity(0, value),
    )
    for name in _LIMITS:
        number = getattr(resource, name)
        yield Setting(
            f"resource.{name}",
            partial(resource.getrlimit, number),
            partial(resource.setrlimit, number),
        )
    number = locale.LC_NUMERIC
    yield Setting(
        "locale.setlocale", partial(locale.setlocale, number), partial(locale.setlocale, number)
    )


_OF_LIBRARIES = frozenset({"TORCHINDUCTOR_CACHE_DIR", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})
"""Set by torch's compiler and by scikit-learn when they are imported; no number rests on them."""


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OF_LIBRARIES}


def _set_environment(value: dict[str, str]) -> None:
    for name in _environment().keys() - value.keys():
        del os.environ[name]
    os.environ.update(value)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _set_priority(value: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, value)


def _signals() -> Iterator[Setting]:
    main = threading.current_thread() is threading.main_thread()
    for number in sorted(signal.valid_signals()):
        yield Setting(
            f"the handler of signal {number}",
            partial(signal.getsignal, number),
            partial(signal.signal, number) if main else None,
        )
    for timer in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"):
        number = getattr(signal, timer)
        yield Setting(
            f"signal.setitimer({timer})",
            partial(_running, number),
            partial(_stop, number),  # the host itself has none running
        )


def _running(timer: int) -> bool:
    return signal.getitimer(timer) != (0.0, 0.0)


def _stop(timer: int, _before: object) -> None:
    signal.setitimer(timer, 0.0)


def _closed(stream: str) -> bool:
    return bool(getattr(sys, stream).closed)


def _interpreter() -> Iterator[Setting]:
    yield Setting("sys.setrecursionlimit", sys.getrecursionlimit, sys.setrecursionlimit)
    yield Setting("sys.setswitchinterval", sys.getswitchinterval, sys.setswitchinterval)
    yield Setting("gc.disable", gc.isenabled, lambda value: gc.enable() if value else gc.disable())
    yield Setting("gc.set_threshold", gc.get_threshold, lambda value: gc.set_threshold(*value))
    yield Setting("sys.settrace", sys.gettrace, sys.settrace)
    yield Setting("sys.setprofile", sys.getprofile, sys.setprofile)
    yield Setting("sys.path", lambda: list(sys.path), lambda value: _replace(sys.path, value))
    for name in ("stdout", "stderr", "stdin", "excepthook", "unraisablehook"):
        yield attribute(f"sys.{name}", sys, name)
    for name in ("stdout", "stderr"):
        yield Setting(f"sys.{name}, closed", partial(_closed, name))
    yield Setting(
        "warnings that are errors",
        lambda: tuple(str(item) for item in warnings.filters if item[0] == "error"),
    )


def _replace(items: list[Any], value: list[Any]) -> None:
    items[:] = value
