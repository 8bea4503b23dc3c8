"""The order of convergence, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import t as student

from bench.api import Problem, UnsupportedError
from bench.testing import LineMixture
from bench.testing.weak_order import measured_weak_order
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS = (40, 80, 160, 320)
_WEAK_STEPS = (80, 160, 320)
_SLACK, _FLOOR = 0.1, 1e-11
_NONE = 0.5
_LOW, _HIGH = 0.05, 20.0


def order(subject: Subject, claims: Claims) -> Finding:
    """Of a sample's path against the exact flow; of stochastic steps, weakly, on a Gaussian."""
    function = subject.function
    if function.stochastic:
        slope, interval, kind = _weak(subject), None, "weak order"
        text = f"{kind} {slope:.2f} on a Gaussian"
    else:
        errors = [_error(subject, steps) for steps in _STEPS]
        slope, half = slope_of(_STEPS, errors)
        interval, kind = (slope - half, slope + half), "order"
        text = f"{kind} {slope:.2f}, 95 % interval {interval[0]:.2f} to {interval[1]:.2f}"
        if slope < _NONE:
            text += f": the error stays at {errors[-1]:.1e} however many steps"
    numbers = {"order": slope, "interval": interval, "claim": claims.order}
    top = slope if interval is None else interval[1]
    if claims.order is not None and max(slope, min(top, slope + 0.3)) < claims.order - _SLACK:
        return Finding("order", Verdict.FAULT, f"{text}; {claims.order} is claimed", numbers)
    return Finding("order", Verdict.GOOD, text, numbers)


def slope_of(steps: Sequence[int], errors: Sequence[float]) -> tuple[float, float]:
    """The slope of errors ~ steps^-p in the logarithms, and half of its 95 % interval.

    Raises:
        UnsupportedError: fewer than three errors are above round-off.
    """
    points = [(math.log(n), -math.log(e)) for n, e in zip(steps, errors, strict=True) if e > _FLOOR]
    if len(points) < 3:
        raise UnsupportedError("its errors are at round-off from the start")
    x, y = np.array(points).T
    slope, offset = np.polyfit(x, y, 1)
    rest = float(((y - slope * x - offset) ** 2).sum()) / (len(x) - 2)
    spread = math.sqrt(rest / float(((x - x.mean()) ** 2).sum()))
    return float(slope), float(student.ppf(0.975, len(x) - 2)) * spread


def _error(subject: Subject, steps: int) -> float:
    """The median distance to the exact flow of a mixture on the line."""
    mixture, process, function = LineMixture(), subject.process, subject.function
    u = torch.linspace(0.03, 0.97, 61, dtype=torch.float64)[:, None]
    start, exact = mixture.quantile(u, _HIGH), mixture.quantile(u, _LOW)
    times = subject.grid.times(process, steps, _LOW, _HIGH)
    with torch.no_grad():
        problem = Problem(process, mixture.denoise, subject.noise(61))
        found = function.trace(problem, start * times[0].alpha, times)[1]
    if function.finishes:
        # Its last step is a denoise; so is that of the exact flow here.
        exact = mixture.denoise(exact, torch.tensor(_LOW, dtype=torch.float64))
    else:
        found = found / times[-1].alpha
    return float((found - exact).abs().median())


def _weak(subject: Subject) -> float:
    inner = subject.ending("s_min").function
    if inner.finishes:
        raise UnsupportedError("a stochastic function that ends in x_0 alone has no such order")
    return measured_weak_order(inner, subject.process.name, "quadratic", _WEAK_STEPS)
