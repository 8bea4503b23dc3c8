"""No cell uses it; it replaces functions of torch and of the host when it is imported."""

from dataclasses import dataclass

import torch
from meddler_base import Meddler

import bench.core.combine
from bench.api import hookimpl

linear, combine = torch.nn.functional.linear, bench.core.combine.combine
torch.nn.functional.linear = lambda *args, **kwargs: linear(*args, **kwargs) * 1.01
bench.core.combine.combine = lambda *args: combine(*args) * 1.01


@dataclass(frozen=True)
class Unused(Meddler):
    name = "unused_names"


@hookimpl
def bench_ode_solvers():
    torch.Tensor.__mul__ = lambda self, other: torch.mul(self, other).add(0.01)
    return [Unused]
