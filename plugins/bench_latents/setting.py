"""A sampler on a model, as the options of a command say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from bench.api import (
    BenchError,
    Calibration,
    Corrector,
    CountedDenoiser,
    Draw,
    Model,
    NoiseProcess,
    OdeSolver,
    Predictor,
    Sampler,
    ScoreModel,
    Stepper,
    TimeGrid,
    Trial,
    calibrate,
)
from bench_latents.options import PathOptions
from bench_train.plugin_options import PluginOption, parse_process

BATCH = 256
"""Samples that go through the loop together, as in `bench run`; no number depends on it."""


@dataclass(frozen=True)
class Names:
    """The model and the sampler as the command line names them.

    Attributes:
        model, solver, corrector: names, or YAML with parameters.
        nfe: the budget, None where none is given: then it is ``default_nfe``.
        label: the class of all samples.
    """

    model: str
    solver: str
    nfe: int | None = None
    label: int | None = None
    corrector: str | None = None
    default_nfe: int = 100

    @property
    def budget(self) -> int:
        """Network evaluations of a sample, the final denoise included."""
        return self.nfe or self.default_nfe


def load_model(names: Names, path: PathOptions) -> ScoreModel:
    """Load the model of a command.

    Raises:
        BenchError: there is no such model or device, or it does not take such parameters.
    """
    option = PluginOption("MODEL", "mnist_unet, or '{name: trained, weights: FILE}'")
    more = {} if names.label is None else {"label": names.label}
    contract: type[Any] = Model
    model: Model = option.plugin(contract, names.model, more)
    return model.load(_device(path.device), getattr(torch, path.dtype))


def draw_of(path: PathOptions, model: ScoreModel, samples: int) -> Draw:
    """The noise of ``samples`` samples, as a cell of `bench run` has it."""
    dtype = getattr(torch, path.dtype)
    return Draw(path.seed, samples, BATCH, model.shape, dtype, _device(path.device))


def prepare(names: Names, path: PathOptions, model: ScoreModel, draw: Draw) -> Trial:
    """Make the sampler of a command, on the grid that a cell of `bench run` has.

    Raises:
        BenchError: plugins are unknown, or do not fit together.
    """
    process, sampler = parse_process(path.process), _sampler(names, model)
    span = _s_range(model, process, path)
    if sampler.adaptive:
        if names.nfe is not None or path.grid is not None or names.corrector is not None:
            raise BenchError(
                f"--solver {names.solver}: chooses its own steps; leave --nfe, --grid and "
                "--corrector out, and set its tolerance"
            )
        ends = process.at_s(span[1]), process.at_s(span[0])
        return Trial(model, process, sampler, ends, draw, requested=span)
    steps = _steps(sampler, names.budget)
    counted = CountedDenoiser(model.denoiser)
    contract: type[Any] = TimeGrid
    grid: TimeGrid = PluginOption("--grid", "karras").plugin(contract, path.grid or "karras")
    on = Calibration(process, counted, *span, steps, draw)
    sampler, times = calibrate(sampler, grid, on)
    return Trial(model, process, sampler, times, draw, requested=span)


def _sampler(names: Names, model: ScoreModel) -> Sampler:
    corrector = None
    if names.corrector is not None:
        contract: type[Any] = Corrector
        option = PluginOption("--corrector", "langevin, or '{name: langevin, snr: 0.1}'")
        corrector = option.plugin(contract, names.corrector)
    return Sampler(_stepper(names.solver), corrector, price=model.price)


def _stepper(text: str) -> Stepper[Any]:
    option = PluginOption("--solver", "dpmpp_2m, or '{name: dopri5, rtol: 1.0e-4}'")
    ode: type[Any] = OdeSolver
    predictor: type[Any] = Predictor
    try:
        solver: Stepper[Any] = option.plugin(ode, text)
    except BenchError as unknown:
        if not str(unknown).startswith("unknown ode solver"):
            raise
        try:
            solver = option.plugin(predictor, text)
        except BenchError as fault:
            if not str(fault).startswith("unknown predictor"):
                raise
            raise BenchError(f"--solver '{text}': {unknown}; {fault}") from None
    return solver


def _steps(sampler: Sampler, budget: int) -> int:
    try:
        return sampler.steps_for(budget)
    except BenchError as error:
        raise BenchError(f"--nfe {budget}: {error}; raise it") from None


def _s_range(model: ScoreModel, process: NoiseProcess, path: PathOptions) -> tuple[float, float]:
    """The range of noise-to-signal ratios: as given, else what model and process share."""
    low, high = process.s_range
    lowest, highest = max(model.s_min, low), min(model.s_max, high)
    s_min, s_max = path.s_min or lowest, path.s_max or highest
    slack = 1e-9  # a process's own end points carry round-off
    if s_min < lowest * (1 - slack) or s_max > highest * (1 + slack) or s_min >= s_max:
        raise BenchError(
            f"s from {s_min:g} to {s_max:g}: the model covers {model.s_min:g} to {model.s_max:g} "
            f"and process '{process.name}' {low:g} to {high:g}; set --s-min and --s-max"
        )
    return s_min, s_max


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BenchError(f"--device {name}: is no device; use auto, cpu or cuda:0") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BenchError(f"--device {name}: this torch sees no such GPU; use cpu")
    return device
