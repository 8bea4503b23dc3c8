"""The order of a stepper: measured and claimed."""

from __future__ import annotations

import torch

from bench.core.errors import BenchError, UnsupportedError
from bench.core.problem import Problem
from bench.core.solver import Adaptive
from bench.registry import build
from bench.testing.claimed_order import SLACK, order_in_the_limit, order_settings
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import AnyStepper
from bench.testing.mixture import LineMixture
from bench.testing.plugins import process_of


def order_is_as_claimed(stepper: AnyStepper) -> str:
    """The measured order of convergence is at least the claimed one, on two grids."""
    if isinstance(stepper, Adaptive):
        return _tolerance_is_obeyed(stepper)
    seen = []
    for process, grid in order_settings(stepper):
        try:
            measured = _order(stepper, process, grid)
        except UnsupportedError as refusal:
            raise NotApplicable(str(refusal)) from None
        demand(
            measured > stepper.order - SLACK,
            f"order {stepper.order}, as the plugin claims",
            f"{measured:.2f} under {process} on {grid}",
            "claim the order that is measured, or look for the wrong coefficient or time",
        )
        seen.append(f"{measured:.2f} under {process}")
    return f"order {stepper.order} claimed, measured {', '.join(seen)}"


def _order(stepper: AnyStepper, process: str, grid: str) -> float:
    try:
        return order_in_the_limit(stepper, process, grid)
    except UnsupportedError:
        raise
    except BenchError as error:
        raise NotApplicable(str(error)) from None


def _tolerance_is_obeyed(stepper: AnyStepper) -> str:
    if stepper.stochastic:
        raise NotApplicable("an adaptive stochastic method has no order to measure")
    assert isinstance(stepper, Adaptive)
    mixture, process = LineMixture(), process_of("vp")
    u = torch.linspace(0.03, 0.97, 31, dtype=torch.float64)[:, None]
    times = process.at_s(20.0), process.at_s(0.05)
    start, exact = mixture.quantile(u, 20.0), mixture.quantile(u, 0.05)
    errors = []
    for tolerance in (1e-1, 1e-3, 1e-5):
        tight = build(type(stepper), {stepper.ladder: tolerance} | _absolute(stepper, tolerance))
        end = tight.solve(Problem(process, mixture.denoise), start * times[0].alpha, times)
        errors.append(float((end / times[1].alpha - exact).abs().median()))
    seen = f"errors {', '.join(f'{error:.1e}' for error in errors)}"
    demand(
        errors[2] < errors[0] / 10 and errors[2] < 1e-2,
        f"errors fall as `{stepper.ladder}` falls from 1e-1 to 1e-5",
        seen,
        f"use `{stepper.ladder}` in the acceptance of a step",
    )
    return f"{seen} at {stepper.ladder} 1e-1, 1e-3, 1e-5"


def _absolute(stepper: AnyStepper, tolerance: float) -> dict[str, object]:
    """The absolute tolerance, where it is a parameter with a number as its default."""
    return {"atol": tolerance} if isinstance(getattr(stepper, "atol", None), float) else {}
