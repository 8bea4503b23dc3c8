"""A network of someone else: trained by `bench train`, sampled by `bench run`."""

from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from bench.api import (
    FilePath,
    Model,
    ScoreModel,
    Target,
    Trainable,
    hookimpl,
    read_weights,
    require,
    rows_of,
    write_network,
)


class Shrink(nn.Module):
    """D = m + (y - m + residual) / (1 + s^2), the residual of a small perceptron."""

    def __init__(self, shape, width):
        super().__init__()
        self.sizes = {"shape": list(shape), "width": width}
        self.mean = nn.Parameter(torch.zeros(shape))
        self.hidden, self.output = nn.Linear(prod(shape), width), nn.Linear(width, prod(shape))

    def forward(self, y, s):
        centred = y - self.mean
        residual = self.output(torch.tanh(self.hidden(centred.flatten(1)))).reshape(y.shape)
        return self.mean + (centred + residual) / (1 + rows_of(s, y) ** 2)


@dataclass(frozen=True)
class ShrinkNetwork(Trainable):
    """A perceptron that shrinks towards a mean.

    Attributes:
        width: hidden units.
    """

    name: ClassVar[str] = "shrink"
    reference: ClassVar[str] = "nobody"
    width: int = 8

    def __post_init__(self):
        require(1 <= self.width <= 4096, "width must lie in 1..4096")

    def build(self, task):
        return Shrink(task.shape, self.width)

    def save(self, path, network, record):
        write_network(path, network, asdict(record) | {"shrink": network.sizes})


@dataclass(frozen=True)
class ShrinkModel(Model):
    """A trained `shrink`.

    Attributes:
        weights: the file that `bench train --network shrink` wrote.
    """

    name: ClassVar[str] = "shrink"
    reference: ClassVar[str] = "nobody"
    weights: FilePath = "weights.safetensors"

    def load(self, device, dtype):
        file = read_weights(Path(self.weights))
        sizes = file.record["shrink"]
        network = file.fill(Shrink(sizes["shape"], sizes["width"])).to(device, dtype)
        low, high = file.record["s_range"]
        target = Target(file.record["data"])
        return ScoreModel(network, tuple(sizes["shape"]), low, high, file.sha256, target)


@hookimpl
def bench_networks():
    return [ShrinkNetwork]


@hookimpl
def bench_models():
    return [ShrinkModel]
