"""The measured network evaluations of a stepper."""

from __future__ import annotations

from typing import Any

from bench.core.grid import TimeGrid
from bench.core.model import CountedDenoiser
from bench.core.process import NoiseProcess
from bench.core.sample import Draw, Sampler, generate
from bench.core.solver import Stepper
from bench.registry import Kind, load_registry
from bench.testing.line import LineMixture


def measured_nfe(stepper: Stepper[Any], steps: int, samples: int = 5) -> float:
    """Network evaluations per sample of ``steps`` steps, without the final denoise."""
    registry = load_registry()
    process, grid = registry.get("vp", Kind.PROCESS).cls(), registry.get("karras", Kind.GRID).cls()
    assert isinstance(process, NoiseProcess)
    assert isinstance(grid, TimeGrid)
    model = CountedDenoiser(LineMixture().denoise)
    times = grid.times(process, steps, 0.05, 20.0)
    draw = Draw(seed=0, samples=samples, batch=samples, shape=(1,))
    for _ in generate(process, model, Sampler(stepper, finish=False), times, draw):
        pass
    return model.evaluations.nfe(samples)
