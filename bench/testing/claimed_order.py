"""The order of a stepper beside the order that it claims."""

from __future__ import annotations

from typing import Any

from bench.core.solver import OdeSolver, Stepper
from bench.testing.order import default_steps, measured_order
from bench.testing.weak_order import default_steps as default_weak_steps
from bench.testing.weak_order import measured_weak_order

SLACK = 0.1
"""How far a slope may lie below the order that is claimed."""

# Grids on which the error at the start, where multistep methods have low order, is small; and on
# which no leading errors cancel, as those of Euler-Maruyama do on equal ratios of s.
_ODE_SETTINGS = (("vp", "karras"), ("edm", "log_snr"))
_WEAK_SETTINGS = (("vp", "quadratic"), ("edm", "quadratic"))


def order_settings(stepper: Stepper[Any]) -> tuple[tuple[str, str], ...]:
    """The processes and grids on which the order of ``stepper`` is measured."""
    return _ODE_SETTINGS if isinstance(stepper, OdeSolver) else _WEAK_SETTINGS


def order_in_the_limit(stepper: Stepper[Any], process: str, grid: str) -> float:
    """The measured order (weak, of a stochastic step) of ``stepper``.

    Where it falls short of the claim by more than ``SLACK``, it is measured again with twice and
    four times as many steps: some methods approach their order late and from below. What has not
    got there by then is returned as it is.
    """
    slope = 0.0
    for refinement in (1, 2, 4):
        slope = _measure(stepper, process, grid, refinement)
        if slope > stepper.order - SLACK:
            break
    return slope


def _measure(stepper: Stepper[Any], process: str, grid: str, refinement: int) -> float:
    if isinstance(stepper, OdeSolver):
        steps = [refinement * n for n in default_steps(stepper.order)]
        return measured_order(stepper, process, grid, steps)
    steps = [refinement * n for n in default_weak_steps(stepper.order)]
    return measured_weak_order(stepper, process, grid, steps)
