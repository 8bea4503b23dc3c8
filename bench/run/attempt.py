"""Guards strangers' code: a value, or a status and one line that say why there is none."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from bench.core.errors import BenchError, UnsupportedError
from bench.results.schema import Status

P = TypeVar("P")


class DivergedError(Exception):
    """Samples that are not finite."""


@dataclass(frozen=True)
class Attempt(Generic[P]):
    """A value, or why there is none."""

    value: P | None
    status: Status = Status.OK
    reason: str = ""


def attempt(make: Callable[[], P]) -> Attempt[P]:
    """Guard one metric, so that the others of the cell get their chance."""
    try:
        return Attempt(make())
    except (Exception, SystemExit) as error:
        return Attempt(None, *explain(error))


def explain(error: BaseException) -> tuple[Status, str]:
    """Status and one-line reason of an exception."""
    if isinstance(error, UnsupportedError):
        return Status.UNSUPPORTED, str(error)
    if isinstance(error, DivergedError):
        return Status.DIVERGED, str(error)
    if isinstance(error, BenchError):
        return Status.FAILED, str(error)
    text = " ".join(str(error).split())[:500]
    on_cpu = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    if on_cpu or isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return Status.FAILED, f"out of memory: {text}; use a smaller batch"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    return Status.FAILED, f"{type(error).__name__}: {text}{where}"
