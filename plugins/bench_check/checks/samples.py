"""Samples: the same in any batch and precision, from an input that is left alone."""

from __future__ import annotations

import torch

from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS = 6


def batch(subject: Subject, claims: Claims) -> Finding:
    """Three of eight samples, in their batch and on their own."""
    whole = subject.trace(_STEPS).y
    few = subject.trace(_STEPS, x=subject.start(_STEPS, 3), noise=subject.noise(3)).y
    gap = float((whole[:3] - few).abs().max() / whole.abs().max())
    numbers = {"difference": gap}
    if gap > 1e-8:
        text = f"a sample depends on the others of its batch: by {gap:.1e} in eight or three"
        return Finding("batch", Verdict.FAULT, text, numbers)
    return Finding("batch", Verdict.GOOD, "a sample is the same in any batch", numbers)


def dtype(subject: Subject, claims: Claims) -> Finding:
    """float32 beside float64, relative in the mean square."""
    double = subject.trace(_STEPS).y
    kind = torch.float32
    single = subject.trace(
        _STEPS, x=subject.start(_STEPS, dtype=kind), noise=subject.noise(dtype=kind)
    ).y
    gap = float((single.double() - double).square().mean().sqrt())
    gap /= float(double.square().mean().sqrt())
    verdict = Verdict.GOOD if gap < 1e-3 else Verdict.FAULT
    text = f"float32 and float64 differ by {gap:.1e}, relative"
    return Finding("dtype", verdict, text, {"difference": gap})


def input_kept(subject: Subject, claims: Claims) -> Finding:
    """The tensor that it is handed, afterwards."""
    if subject.trace(_STEPS).kept:
        return Finding("input", Verdict.GOOD, "the input is left alone")
    text = "it writes into its input: a caller that goes on with x_T has another one"
    return Finding("input", Verdict.NOTE, text)
