"""The end: the level that it arrives at, and noise after the last evaluation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.testing.conformance.laboratory import denoise
from bench_check.checks.streams import Split
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS = 12


def end(subject: Subject, claims: Claims) -> Finding:
    """The level of the end: what is left of x_T where data is one point."""
    finishes = subject.finishes
    last = subject.times(_STEPS)[-1].s
    wanted = 0.0 if finishes else last
    late = _late_noise(subject)
    level = _level(subject)
    numbers = {"level": level, "late_noise": late}
    goal = "x_0" if finishes else f"its last level, s = {last:g}"
    if late > 1.01 * wanted + 1e-9:
        text = (
            f"it adds noise of standard deviation {late:.2g} after the last evaluation, at {goal}"
        )
        return Finding("end", Verdict.FAULT, text, numbers)
    if not wanted / 3 <= level <= 3 * wanted + 1e-6:
        text = f"it should end in {goal}, and ends at s = {level:.2g}"
        return Finding("end", Verdict.FAULT, text, numbers)
    text = f"it ends in {goal}" + ("; the host denoises" if not finishes else "")
    return Finding("end", Verdict.GOOD, text, numbers)


def _level(subject: Subject) -> float:
    """The noise level at the end of data that are a point at 0, where D = 0."""
    end = subject.trace(_STEPS, model=lambda y, s: torch.zeros_like(y)).y
    first = subject.times(_STEPS)[0]
    start = subject.start(_STEPS) / first.alpha
    return first.s * math.sqrt(float(end.square().mean() / start.square().mean()))


def _late_noise(subject: Subject) -> float:
    """The standard deviation of what draws after the last evaluation add."""
    first = subject.trace(_STEPS)
    total = len(first.draws)
    if not total:
        return 0.0
    places: list[int] = []
    count = Split(subject.noise(), subject.noise(), total)

    def watch(y: Tensor, s: Tensor) -> Tensor:
        places.append(len(count.drawn))
        return denoise(y, s)

    subject.trace(_STEPS, model=watch, noise=count)
    if not places or places[-1] >= total:
        return 0.0
    mixed = Split(subject.noise(), subject.noise(seed=1), places[-1])
    other = subject.trace(_STEPS, noise=mixed).y
    return float((other - first.y).square().mean().sqrt()) / math.sqrt(2)
