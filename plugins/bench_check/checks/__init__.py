"""The checks, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from bench.api import BenchError, UnsupportedError
from bench.state import Changes, undo_changes
from bench_check.checks.cost import cost
from bench_check.checks.distance import distance
from bench_check.checks.end import end
from bench_check.checks.order import order
from bench_check.checks.randomness import randomness
from bench_check.checks.samples import batch, dtype, input_kept
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.functions import FunctionSubject
from bench_check.schedulers import SchedulerSubject
from bench_check.subject import Subject
from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler
from bench_plugins.foreign.function import Function

Check = Callable[[Subject, Claims], Finding]

_CHECKS: tuple[tuple[str, Check], ...] = (
    ("cost", cost),
    ("order", order),
    ("end", end),
    ("randomness", randomness),
    ("batch", batch),
    ("dtype", dtype),
    ("input", input_kept),
    ("distance", distance),
)


def examine(sampler: Function | DiffusersScheduler, claims: Claims) -> Iterator[Finding]:
    """All findings; where it fails to run at all, that alone.

    Raises:
        UnsupportedError: it cannot be called so; the message says what to change.
    """
    with undo_changes() as changes:
        try:
            subject = _subject(sampler)
        except UnsupportedError:
            raise
        except BenchError as error:
            yield Finding("runs", Verdict.FAULT, str(error))
            return
        yield Finding("runs", Verdict.GOOD, subject.setting)
        for name, check in _CHECKS:
            yield _attempt(name, check, subject, claims)
    yield _state(changes)


def _subject(sampler: Function | DiffusersScheduler) -> Subject:
    if isinstance(sampler, Function):
        return FunctionSubject.of(sampler)
    subject = SchedulerSubject(sampler)
    if not bool(torch.isfinite(subject.trace(8).y).all()):
        raise BenchError(f"{sampler.scheduler} gives values that are not finite, in 8 steps")
    return subject


def _state(changes: Changes) -> Finding:
    """A thread that was left behind decides no number; a setting may."""
    if not changes.found:
        return Finding("state", Verdict.GOOD, "no setting of torch or Python was changed")
    threads = all(change.what.startswith("thread ") for change in changes.found)
    verdict = Verdict.NOTE if threads else Verdict.FAULT
    return Finding("state", verdict, f"it changes the process: {changes.summary}")


def _attempt(name: str, check: Check, subject: Subject, claims: Claims) -> Finding:
    try:
        return check(subject, claims)
    except UnsupportedError as refusal:
        return Finding(name, Verdict.SKIPPED, str(refusal))
    except BenchError as error:
        return Finding(name, Verdict.FAULT, str(error))
