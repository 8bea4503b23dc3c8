"""No cell uses it; it changes the default dtype when it is imported."""

from dataclasses import dataclass

import torch
from meddler_base import Meddler

from bench.api import hookimpl

torch.set_default_dtype(torch.float64)


@dataclass(frozen=True)
class Unused(Meddler):
    name = "unused_dtype"


@hookimpl
def bench_ode_solvers():
    return [Unused]
