"""The order of convergence, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import t as student

from bench.api import NoiseStream, Problem, UnsupportedError
from bench.testing import LineMixture
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_NONE = 0.5


def order(subject: Subject, claims: Claims) -> Finding:
    """Of a sample's path against the exact flow; of stochastic steps, weakly, on a Gaussian."""
    subject = subject.for_order()
    claim = subject.claimed_order if claims.order is None else claims.order
    if subject.stochastic:
        slope, interval, kind = subject.weak_order(), None, "weak order"
        text = f"{kind} {slope:.2f} on a Gaussian"
    else:
        errors = [_error(subject, steps) for steps in subject.order_steps]
        slope, half = slope_of(subject.order_steps, errors, subject.floor)
        interval, kind = (slope - half, slope + half), "order"
        text = f"{kind} {slope:.2f}, 95 % interval {interval[0]:.2f} to {interval[1]:.2f}"
        if slope < _NONE:
            text += f": the error stays at {errors[-1]:.1e} however many steps"
    numbers = {"order": slope, "interval": interval, "claim": claim}
    top = slope if interval is None else interval[1]
    if claim is not None and max(slope, min(top, slope + subject.reach)) < claim - subject.slack:
        whose = "is its own claim" if claims.order is None else "is claimed"
        return Finding("order", Verdict.FAULT, f"{text}; {claim} {whose}", numbers)
    return Finding("order", Verdict.GOOD, text, numbers)


def slope_of(
    steps: Sequence[int], errors: Sequence[float], floor: float = 1e-11
) -> tuple[float, float]:
    """The slope of errors ~ steps^-p in the logarithms, and half of its 95 % interval.

    Raises:
        UnsupportedError: fewer than three errors are above round-off.
    """
    points = [(math.log(n), -math.log(e)) for n, e in zip(steps, errors, strict=True) if e > floor]
    if len(points) < 3:
        raise UnsupportedError("its errors are at round-off from the start")
    x, y = np.array(points).T
    slope, offset = np.polyfit(x, y, 1)
    rest = float(((y - slope * x - offset) ** 2).sum()) / (len(x) - 2)
    spread = math.sqrt(rest / float(((x - x.mean()) ** 2).sum()))
    return float(slope), float(student.ppf(0.975, len(x) - 2)) * spread


def _error(subject: Subject, steps: int) -> float:
    """The median distance to the exact flow of a mixture on the line."""
    mixture, process, times = LineMixture(), subject.process, subject.path(steps)
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = mixture.quantile(u, times[0].s), mixture.quantile(u, times[-1].s)
    with torch.no_grad():
        noise = NoiseStream(0, "sampler", 0, 61, (1,), torch.float64)
        problem = Problem(process, mixture.denoise, noise)
        found = subject.run(problem, start * times[0].alpha, times).y
    if subject.finishes:
        # Its last step is a denoise; so is that of the exact flow here.
        exact = mixture.denoise(exact, torch.tensor(times[-1].s, dtype=torch.float64))
    return float((found - exact).abs().median())
