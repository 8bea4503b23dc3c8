"""Noise: of which source, and if it is used."""

from __future__ import annotations

from collections import Counter

import torch

from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS = 6


def randomness(subject: Subject, claims: Claims) -> Finding:
    """Draws of the signature's source are good; those of torch's global generator are told."""
    first = subject.trace(_STEPS)
    other = subject.trace(_STEPS, noise=subject.noise(seed=1))
    used = not torch.equal(first.y, other.y)
    if not torch.equal(first.y, subject.trace(_STEPS).y):
        text = "two runs from the same noise differ: it keeps something between calls"
        return Finding("randomness", Verdict.FAULT, text)
    counts = Counter(first.draws)
    numbers = {"draws": dict(counts), "used": used}
    if not counts:
        return Finding("randomness", Verdict.GOOD, "it draws no noise", numbers)
    sources = ", ".join(f"{count} of {name}" for name, count in counts.items())
    text = f"draws in {_STEPS} steps: {sources}"
    wild = any(name.startswith("torch.") for name in counts)
    if wild and used:
        text += "; that is torch's global generator, so that a sample depends on all that was drawn"
        return Finding("randomness", Verdict.FAULT, f"{text} before it", numbers)
    if not used:
        text += "; none is used"
        text += ", and torch's global generator moves on" if wild else ""
        return Finding("randomness", Verdict.NOTE, text, numbers)
    return Finding("randomness", Verdict.GOOD, text, numbers)
