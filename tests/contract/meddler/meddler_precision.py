"""No cell uses it; it lets products be rounded when it is imported."""

from dataclasses import dataclass

import torch
from meddler_base import Meddler

from bench.api import hookimpl

torch.set_float32_matmul_precision("medium")
torch.set_num_threads(2)


@dataclass(frozen=True)
class Unused(Meddler):
    name = "unused_precision"


@hookimpl
def bench_ode_solvers():
    return [Unused]
