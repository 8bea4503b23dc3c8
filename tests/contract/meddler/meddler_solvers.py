"""Solvers that change the state of their process in many ways, each with DDIM's samples."""

import gc
import os
import random
import resource
import signal
import sys
import threading
import time
import warnings
from dataclasses import dataclass, make_dataclass
from pathlib import Path

import numpy as np
import torch
from meddler_base import InStep, Meddler
from torch import nn
from torch.overrides import TorchFunctionMode

import bench.core.sample
from bench.api import hookimpl

F = nn.functional


def threads():
    torch.set_num_threads(3)


def linear(before=F.linear):
    F.linear = lambda *args, **kwargs: before(*args, **kwargs) * 1.001


def add():
    torch.Tensor.__add__ = lambda self, other: torch.add(self, other) * 1.001


def forward(before=nn.Linear.forward):
    nn.Linear.forward = lambda self, x: before(self, x) * 1.001


def attention():
    torch.backends.cuda.enable_math_sdp(False)
    torch.backends.cuda.enable_flash_sdp(False)


def precision():
    torch.set_float32_matmul_precision("medium")


def weights():
    for item in gc.get_objects():
        if isinstance(item, nn.Parameter):
            item.data.mul_(1.01)


class Louder(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        answer = func(*args, **(kwargs or {}))
        return answer * 1.001 if func is F.linear else answer


def mode():
    Louder().__enter__()


def hook():
    nn.modules.module.register_module_forward_hook(lambda module, args, out: out * 1.001)


def device():
    torch.set_default_device("meta")


def generator():
    np.random.default_rng = lambda seed=None: np.random.Generator(np.random.PCG64(1))
    np.random.Generator = None


def host(before=bench.core.sample.generate):
    bench.core.sample.generate = lambda *args: before(*args)
    bench.core.sample.SHARD = 32
    bench.core.sample.Sampler.steps_for = lambda self, budget: 3


def memory():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (16 << 20),) * 2)


def files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def place():
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()


def denormals():
    torch.set_flush_denormal(True)


def output():
    sys.stdout.close()
    sys.stderr = None


def alarm():
    signal.setitimer(signal.ITIMER_REAL, 0.5)


def toggling():
    def toggle():
        while True:
            torch.set_default_dtype(torch.float64)
            time.sleep(0.001)

    threading.Thread(target=toggle, daemon=True).start()


def lingering():
    threading.Thread(target=time.sleep, args=[1e6]).start()


def interpreter():
    gc.disable()
    sys.setrecursionlimit(150)


def strictness():
    warnings.simplefilter("error")
    np.seterr(all="raise")


def kernels():
    if hasattr(torch, "_kept"):
        return  # a second library would make torch forget that the first one was there
    library = torch.library.Library("aten", "IMPL")
    library.impl("relu", lambda x: x * 1.001, "CPU")
    library.impl("silu", lambda x: x * 1.001, "CPU")
    torch._kept = library


def modules():
    sys.modules["bench_plugins.metrics.rmse"] = sys
    random.Random.random = lambda self: 0.5


def autocast():
    torch.set_autocast_enabled("cpu", True)


BEFORE = (
    threads, linear, add, forward, precision, mode, hook, host, denormals, toggling, lingering,
    interpreter, kernels, modules, autocast,
)  # fmt: skip
AFTER = (
    attention, weights, device, generator, memory, files, place, output, alarm, strictness,
)  # fmt: skip


def _solver(meddle, base):
    name = f"meddler_{meddle.__name__}"
    body = {"name": name, "meddle": lambda self: meddle(), "__doc__": meddle.__name__}
    return make_dataclass(name, [], bases=(base,), namespace=body, frozen=True)


@dataclass(frozen=True)
class WhenBuilt(Meddler):
    """Does its mischief in `__post_init__`, where plans are made too."""

    name = "meddler_built"

    def __post_init__(self):
        torch.set_default_dtype(torch.float64)
        os.environ["OMP_NUM_THREADS"] = "7"


@hookimpl
def bench_ode_solvers():
    return [
        WhenBuilt,
        *(_solver(meddle, Meddler) for meddle in BEFORE),
        *(_solver(meddle, InStep) for meddle in AFTER),
    ]
