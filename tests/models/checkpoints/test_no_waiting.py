"""A sampling loop over a real network never waits for the device, nor copies to or from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.api import CountedDenoiser, Denoiser, NoiseProcess, Problem, Sampler, Time
from bench.registry import Kind, load_registry
from bench_plugins.checkpoints.precision import NetworkModel

META = torch.device("meta")
KINDS = (
    *("edm", "edm-vp", "edm-ve", "edm-iddpm"),
    *("ncsnpp", "ddpmpp", "discrete", "diffusers", "image_v1", "hdit"),
)


class Elsewhere(TorchDispatchMode):
    """Notes every operator that touches a tensor on another device than meta.

    Tensors on meta have no values: whoever asks for one (item, nonzero, a copy to the host) fails.
    What remains is what is made on the host and copied, which waits on a GPU too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs or {}, result))
        self.count += 1
        if any(isinstance(leaf, Tensor) and leaf.device != META for leaf in leaves):
            self.names.append(str(func))
        return result


@dataclass(frozen=True)
class Loop:
    """Heun's method and DPM-Solver++(2M), from the highest level down to a tenth."""

    process: NoiseProcess
    samplers: tuple[Sampler, ...]
    times: tuple[Time, ...]

    @staticmethod
    def ready(s_max: float) -> Loop:
        """A loop whose coefficients were computed already, as they are from the second batch on."""
        registry = load_registry()
        process = registry.get("edm", Kind.PROCESS).cls()
        assert isinstance(process, NoiseProcess)
        solvers: list[Any] = [
            registry.get(name, Kind.ODE_SOLVER).cls() for name in ("edm_heun", "dpmpp_2m")
        ]
        times = tuple(process.at_s(s) for s in (s_max, math.sqrt(0.1 * s_max), 0.1))
        loop = Loop(process, tuple(Sampler(solver) for solver in solvers), times)
        loop(lambda y, s: y, (3, 8, 8), META)
        return loop

    def __call__(self, denoiser: Denoiser, shape: tuple[int, ...], device: torch.device) -> Tensor:
        problem = Problem(self.process, CountedDenoiser(denoiser))
        x = torch.zeros(2, *shape, device=device)
        for sampler in self.samplers:
            x = sampler.run(problem, x, self.times)
        return x


@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_stays_on_its_device(kind: str, zoo: Any) -> None:
    model: NetworkModel = zoo.model(kind)
    loaded = model.load(META, torch.float32)
    loop = Loop.ready(loaded.s_max)
    with torch.no_grad(), Elsewhere() as elsewhere:
        x = loop(loaded.denoiser, loaded.shape, META)
    assert x.device == META
    assert elsewhere.names == []
    assert elsewhere.count > 100


def test_careless_networks_are_seen() -> None:
    table = torch.linspace(0, 1, 8)

    def reads(y: Tensor, s: Tensor) -> Tensor:
        return y * float(s)

    def looks_up(y: Tensor, s: Tensor) -> Tensor:
        return y * table[s.long()]

    def copies(y: Tensor, s: Tensor) -> Tensor:
        return y * table.mean().to(y.device)

    loop = Loop.ready(80.0)
    for careless in (reads, looks_up):
        with pytest.raises((RuntimeError, NotImplementedError)):
            loop(careless, (3, 8, 8), META)
    with Elsewhere() as elsewhere:
        loop(copies, (3, 8, 8), META)
    assert elsewhere.names


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.filterwarnings("ignore")  # the profiler's own
@pytest.mark.parametrize("precision", [None, "tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_profiler_sees_no_waiting(kind: str, precision: Any, zoo: Any) -> None:
    from torch.profiler import ProfilerActivity, profile

    cuda = torch.device("cuda")
    model: NetworkModel = replace(zoo.model(kind), precision=precision)
    loaded = model.load(cuda, torch.float32)
    loop = Loop.ready(loaded.s_max)
    with torch.no_grad():
        loop(loaded.denoiser, loaded.shape, cuda)  # chooses kernels, fills caches
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
            loop(loaded.denoiser, loaded.shape, cuda)
            # The profiler itself waits at its end.
            seen = [event.name for event in _events_before_end(trace)]
    assert any("LaunchKernel" in name for name in seen)
    waits = ("StreamSynchronize", "EventSynchronize", "Memcpy DtoH", "Memcpy HtoD", "::item")
    assert [name for name in seen if any(wait in name for wait in waits)] == []


def _events_before_end(trace: Any) -> list[Any]:
    trace.stop()
    return list(trace.events())
