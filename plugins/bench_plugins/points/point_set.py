"""The base of the models of this family."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from bench.api import Model, ScoreModel, Target, require
from bench_plugins.points.papers import FFJORD


class Planar(Protocol):
    """A distribution in the plane, smoothed by noise of any level s, in closed form."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Planar:
        """The same distribution elsewhere."""
        ...

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y], shape (n, 2); ``s`` of shape () or (n,)."""
        ...

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, 2), shape (n,)."""
        ...

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, 2)."""
        ...


@dataclass(frozen=True)
class PointSet(Model):
    """A set of points in the plane with its exact denoiser.

    Attributes:
        s_min, s_max: the range of noise levels that samplers may use.
    """

    reference: ClassVar[str] = "Grathwohl et al. 2019, arXiv:1810.01367, Section 4.1 and its code"
    bibtex: ClassVar[str] = FFJORD

    s_min: float = 0.002
    s_max: float = 80.0

    def __post_init__(self) -> None:
        require(0 < self.s_min < self.s_max, "0 < s_min < s_max must hold")

    @abstractmethod
    def distribution(self) -> Planar:
        """The distribution, float64 on the CPU."""

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        exact = self.distribution()
        text = json.dumps([self.name, asdict(self)], sort_keys=True)
        return ScoreModel(
            denoiser=exact.to(device, dtype).denoise,
            shape=(2,),
            s_min=self.s_min,
            s_max=self.s_max,
            weights=hashlib.sha256(text.encode()).hexdigest(),
            target=Target(self.name, exact=exact),
        )


@dataclass(frozen=True)
class NoisySet(PointSet):
    """A set of points with Gaussian noise of its own around it.

    Attributes:
        noise: standard deviation of that noise in each direction, 0.02 to 1.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    noise: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0.02 <= self.noise <= 1, "noise must lie between 0.02 and 1")
