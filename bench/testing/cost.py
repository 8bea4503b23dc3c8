"""The measured network evaluations of a stepper."""

from __future__ import annotations

from typing import Any

from bench.core.model import CountedDenoiser
from bench.core.sample import Draw, Sampler, generate
from bench.core.solver import Stepper
from bench.testing.mixture import LineMixture
from bench.testing.plugins import grid_of, process_of


def measured_nfe(stepper: Stepper[Any], steps: int, samples: int = 5) -> float:
    """Network evaluations per sample of ``steps`` steps, without the final denoise."""
    process, grid = process_of("vp"), grid_of("karras")
    model = CountedDenoiser(LineMixture().denoise)
    times = grid.times(process, steps, 0.05, 20.0)
    draw = Draw(seed=0, samples=samples, batch=samples, shape=(1,))
    for _ in generate(process, model, Sampler(stepper, finish=False), times, draw):
        pass
    return model.evaluations.nfe(samples)
