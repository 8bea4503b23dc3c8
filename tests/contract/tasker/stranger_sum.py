from dataclasses import dataclass
from typing import ClassVar

import torch

from bench.api import InverseProblem, LinearOperator, hookimpl


class Total(LinearOperator):
    def __init__(self, shape, unit):
        self.shape, self.unit, self.values = shape, unit, 1 / unit[:1]

    def coefficients(self, x):
        return (x.flatten(1) @ self.unit)[:, None]

    def image(self, coefficients):
        return (coefficients * self.unit).reshape(-1, *self.shape)


@dataclass(frozen=True)
class Sum(InverseProblem):
    """The sum of a sample's entries is observed; noise, draws, split, task_seed as ever."""

    name: ClassVar[str] = "sum"
    reference: ClassVar[str] = "Doe 2026, arXiv:2601.00004"

    def operator(self, shape, device, dtype):
        d = torch.Size(shape).numel()
        return Total(shape, torch.full((d,), d**-0.5, device=device, dtype=dtype))


@hookimpl
def bench_tasks():
    return [Sum]
