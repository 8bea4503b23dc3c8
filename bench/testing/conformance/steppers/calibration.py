"""The calibration of a stepper: repeatable, without traces, and of the declared cost."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.core.calibration import Calibration
from bench.core.model import CountedDenoiser
from bench.core.sample import Draw
from bench.core.solver import Stepper
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.laboratory import (
    S_MIN,
    SHAPE,
    AnyStepper,
    Run,
    denoise,
    times_for,
)
from bench.testing.conformance.randomness import demand_own_randomness
from bench.testing.conformance.steppers.cost import compare_cost
from bench.testing.conformance.steppers.samples import batch_does_not_matter
from bench.testing.plugins import process_of

STEPS = 6


def calibration_is_sound(stepper: AnyStepper) -> None:
    """Calibrated twice it gives the same samples; what it costs and batches are as without."""
    if type(stepper).calibrate is Stepper.calibrate:
        raise NotApplicable("is not calibrated")
    times = times_for(stepper, STEPS)

    def samples() -> Tensor:
        return Run().of(_tune(stepper), times)

    demand_own_randomness(samples, "; decide by the cell and its starts alone")
    tuned = _tune(stepper)
    compare_cost(tuned, STEPS, STEPS)
    batch_does_not_matter(tuned)


def _tune(stepper: AnyStepper) -> AnyStepper:
    process, times = process_of("vp"), times_for(stepper, STEPS)
    draw, model = Draw(0, 8, 8, SHAPE, torch.float64), CountedDenoiser(denoise)
    cell = Calibration(process, model, S_MIN, times[0].s, STEPS, draw, stepper, times)
    with torch.no_grad():
        tuned = stepper.calibrate(cell)
        demand(
            not torch.is_grad_enabled(),
            "gradients are off after a calibration, as they were before",
            "they are on",
            "differentiate within `with torch.enable_grad():`",
        )
    return tuned
