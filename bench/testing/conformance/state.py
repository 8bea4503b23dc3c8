"""The state of the process and the weights of a model: a plugin leaves them as they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.core.calibration import Calibration
from bench.core.errors import BenchError, UnsupportedError
from bench.core.grid import TimeGrid
from bench.core.guidance import Guidance
from bench.core.metric import Metric
from bench.core.model import CountedDenoiser, Denoiser
from bench.core.noise import NoiseStream
from bench.core.plugin import Plugin
from bench.core.problem import Problem
from bench.core.process import NoiseProcess
from bench.core.sample import Draw
from bench.core.solver import Corrector, Stepper
from bench.core.target import Model
from bench.core.task import Task
from bench.registry import load_registry
from bench.state import shorten, undo_changes
from bench.state.weights import Weights
from bench.testing.conformance.common import defaults
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.conformance.guidances import samples_of
from bench.testing.conformance.laboratory import S_MIN, SHAPE, Run, path, times_for
from bench.testing.conformance.models import measure_ddim
from bench.testing.conformance.tasks import posed_questions
from bench.testing.plugins import process_of


class Network(nn.Module):
    """An easy denoiser with weights that a plugin could write into."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full(SHAPE, 0.9))
        self.shift = nn.Parameter(torch.full(SHAPE, 0.1))

    def forward(self, y: Tensor, s: Tensor) -> Tensor:
        """Towards `shift`, the more the larger s, which has shape () or (n,)."""
        each = s.reshape(-1, *(1 for _ in SHAPE)) if s.ndim else s
        return (self.scale * y / (1 + each * each) + self.shift).to(y.dtype)


def state_is_left_alone(cls: type[Plugin]) -> None:
    """Import, construction and use leave settings, names and weights as they were."""
    found = [f"at import: {words}" for words in _import_changes(cls)]
    network = Network().requires_grad_(False)
    weights, own, refusal = Weights.of(network), Weights.of(None), ""
    with undo_changes() as changes:
        try:
            own = _use(defaults(cls), network)
        except (NotApplicable, UnsupportedError) as reason:
            refusal = str(reason)
        written = weights.count_changes() + own.count_changes()
    found += [changes.summary] if changes.found else []
    found += [f"{written} of the model's tensors were written into"] if written else []
    demand(
        not found,
        "the state of the process and the model's weights are as they were",
        shorten(found),
        "hand dtype, device, generator and precision to each call; put back in a `finally` what "
        "has to be set; replace no function, and write into no tensor that is not yours",
    )
    if refusal:
        raise NotApplicable(refusal)


def _import_changes(cls: type[Plugin]) -> list[str]:
    registry = load_registry()
    owners = {e.source.entry_point for e in registry.entries if e.cls is cls}
    return [item.changed for item in registry.meddling if item.entry_point in owners]


@torch.no_grad()
def _use(plugin: Plugin, network: Denoiser) -> Weights:
    """Use the plugin as the host does; returns a model's own weights, as they were before."""
    process = process_of("vp")
    if isinstance(plugin, Stepper):
        Run(model=network).of(plugin, times_for(plugin, 6))
    elif isinstance(plugin, Corrector):
        noise = NoiseStream(0, "sampler", 0, 8, SHAPE)
        plugin.correct(
            Problem(process, CountedDenoiser(network), noise), noise.normal(), process.at_s(1.0)
        )
    elif isinstance(plugin, NoiseProcess):
        path(plugin, 6)
    elif isinstance(plugin, TimeGrid):
        draw = Draw(0, 64, 64, SHAPE)
        calibration = Calibration(process, CountedDenoiser(network), S_MIN, 80.0, 6, draw)
        plugin.calibrate(calibration).times(process, 6, S_MIN, 80.0)
    elif isinstance(plugin, Model):
        return _denoise(plugin)
    elif isinstance(plugin, Metric):
        measure_ddim(plugin, 6)
    elif isinstance(plugin, Guidance):
        samples_of(plugin, 8)
    elif isinstance(plugin, Task):
        for questions in posed_questions(plugin):
            questions.of_samples(0, 0, 8)
    return Weights.of(None)


def _denoise(model: Model) -> Weights:
    try:
        loaded = model.load(torch.device("cpu"), torch.float32)
    except BenchError as error:
        raise NotApplicable(f"cannot be loaded here: {error}") from None
    weights = Weights.of(loaded)
    y = NoiseStream(0, "prior", 0, 4, loaded.shape).normal() * loaded.s_max
    for s in (loaded.s_max, loaded.s_min):
        CountedDenoiser(loaded.denoiser).of_samples(0, 0, 4, y.device)(y, torch.tensor(s))
    return weights
