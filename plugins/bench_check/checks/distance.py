"""The distance to our own implementation of the same method."""

from __future__ import annotations

import torch

from bench.api import BenchError, Problem
from bench.testing import stepper_of
from bench.testing.conformance.laboratory import denoise
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS, _SAME = 16, 1e-5


def distance(subject: Subject, claims: Claims) -> Finding:
    """The largest difference of samples from the same noise, relative to the largest entry."""
    name, parameters = (claims.against, {}) if claims.against else subject.own()
    if not name:
        text = "none of our solvers has its name; compare with --against NAME"
        return Finding("distance", Verdict.SKIPPED, text)
    stepper = stepper_of(name, **parameters)
    process, times, rows = subject.process, subject.times(_STEPS), list[int]()

    def count(y: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        rows.append(len(y))
        return denoise(y, s)

    problem = Problem(process, count, subject.noise())
    with torch.no_grad():
        ours = problem.denoise(stepper.solve(problem, subject.start(_STEPS), times), times[-1])
    trace = subject.trace(_STEPS)
    theirs, nfe = trace.y, len(trace.levels)
    if not subject.finishes:
        theirs = denoise(theirs, torch.tensor(times[-1].s, dtype=theirs.dtype))
        nfe += 1
    gap, own = float((ours - theirs).abs().max() / ours.abs().max()), sum(rows) // len(ours)
    numbers = {"against": name, "difference": gap, "evaluations": [nfe, own]}
    if gap < _SAME and nfe == own:
        text = f"the samples of our '{name}' within {gap:.1e}, at the same {nfe} evaluations"
        return Finding("distance", Verdict.GOOD, text, numbers)
    text = f"the samples of our '{name}' within {gap:.1e}"
    if gap >= _SAME:
        text = f"samples differ from those of our '{name}' by {gap:.1e}"
    text += f", at {nfe} evaluations for {own}"
    verdict = Verdict.FAULT if claims.against else Verdict.NOTE
    return Finding("distance", verdict, text, numbers)


def check_name(name: str) -> None:
    """Refuse a name that no solver has.

    Raises:
        BenchError: it is unknown.
    """
    try:
        stepper_of(name)
    except BenchError as error:
        raise BenchError(f"--against {name}: {error}") from None
