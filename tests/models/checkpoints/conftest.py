"""How the weights of the parity fixtures are made, and which numbers of an output are kept.

The same rule was applied to the authors' networks, outside of this repository, in float64:

* tensors are taken in the order of the state dict; those named `sigmas`, `resample_filter`,
  `kernel` or `u` keep their values;
* the i-th (counting all) is drawn by numpy: `default_rng([seed, i]).standard_normal(shape)`;
* with two or more dimensions it is divided by the root of the product of all but the first;
* with one dimension it is multiplied by 0.1, and 1 is added if its name ends in `weight` or
  `scale`.

Inputs are `default_rng([seed, 10**6]).standard_normal(shape)`. Kept of an output (flattened) are
its first six entries, the root of its mean square, and its mean product with
`default_rng([seed, 10**6 + 1]).standard_normal(size)`, and of the state dict the sha256 of its
lines `name (shape)`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

KEPT = ("sigmas", "resample_filter", "kernel", "u")


@dataclass(frozen=True)
class Rule:
    """The rule above."""

    seed: int

    def normal(self, stream: int, shape: tuple[int, ...]) -> Tensor:
        return torch.from_numpy(np.random.default_rng([self.seed, stream]).standard_normal(shape))

    def weights(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        made = {}
        for i, (name, tensor) in enumerate(state.items()):
            if name.split(".")[-1] in KEPT:
                made[name] = tensor
                continue
            value = self.normal(i, tuple(tensor.shape))
            if tensor.ndim > 1:
                value = value / math.sqrt(math.prod(tensor.shape[1:]))
            else:
                value = 0.1 * value + (1.0 if name.endswith(("weight", "scale")) else 0.0)
            made[name] = value
        return made

    def input(self, shape: tuple[int, ...]) -> Tensor:
        return self.normal(10**6, shape)

    def figures(self, output: Tensor) -> list[float]:
        flat = output.detach().double().flatten()
        against = self.normal(10**6 + 1, (flat.numel(),))
        rms = float(flat.square().mean().sqrt())
        return [*flat[:6].tolist(), rms, float((flat * against).mean())]

    @staticmethod
    def keys(state: Mapping[str, Tensor]) -> str:
        lines = [f"{name} {tuple(tensor.shape)}" for name, tensor in state.items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.fixture(scope="session")
def rule_of() -> type[Rule]:
    """The class of the rule: `rule_of(seed)`."""
    return Rule
