"""A mixture with classes: denoisers with and without class, and a classifier, in closed form."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    NO_CLASS,
    Conditional,
    Model,
    Observation,
    ScoreModel,
    Target,
    UnsupportedError,
    paper,
    require,
)
from bench_plugins.models.closed_form import Mixture, MixturePosterior


@dataclass(frozen=True, eq=False)
class ClassedMixture:
    """A mixture whose components have classes.

    Attributes:
        mixture: all components, of K.
        member: (K, classes), 0 for the class of each component and -inf for the others.
    """

    mixture: Mixture
    member: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> ClassedMixture:
        """The same elsewhere."""
        return ClassedMixture(self.mixture.to(device, dtype), self.member.to(device, dtype))

    def blur(self, std: float) -> ClassedMixture:
        """The distribution of x_0 + std n, n ~ N(0, I)."""
        return replace(self, mixture=replace(self.mixture, values=self.mixture.values + std * std))

    def denoise(self, y: Tensor, s: Tensor, labels: Tensor) -> Tensor:
        """E[x_0 | x_0 + s eps = y, x_0 of class labels], (n, d); of any for ``NO_CLASS``."""
        return self.of_classes(labels).denoise(y, s)

    def of_classes(self, labels: Tensor) -> Mixture:
        """The mixture of each row's class, not normalised: log_weights (n, K)."""
        own = self.member.T[labels.clamp_min(0)]
        mask = torch.where((labels == NO_CLASS)[:, None], torch.zeros_like(own), own)
        return replace(self.mixture, log_weights=self.mixture.log_weights + mask)

    def class_log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | x_0 + s eps = y), (n, classes); ``s`` of shape () or (n,)."""
        joint = self.mixture.log_joint(y, s)
        return (joint[..., None] + self.member).logsumexp(1).log_softmax(1)


@dataclass(frozen=True, eq=False)
class ClassTruth:
    """The data of a `ClassMixture`, float64 on the CPU.

    Attributes:
        classed: the mixture with its classes.
        blur: standard deviation of the model's error; 0: the model is exact.
    """

    classed: ClassedMixture
    blur: float

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, d)."""
        return self.classed.mixture.sample(count, seed)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y`` (n, d), shape (n,).

        Raises:
            UnsupportedError: it is not the model's, which is blurred.
        """
        if self.blur:
            raise UnsupportedError("a blurred class_mixture is not of the density of its data")
        return self.classed.mixture.log_prob(y, s)

    def posterior(self, observation: Observation) -> MixturePosterior:
        """The distribution of each row given its linear observation."""
        return self.classed.mixture.posterior(observation)

    def class_log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | x_0 + s eps = y), (n, classes)."""
        return self.classed.to(y.device, y.dtype).class_log_probs(y, s)

    def sample_classes(self, labels: Tensor, seed: int) -> Tensor:
        """An exact sample of each class in ``labels`` (n,), float64, (n, d)."""
        mixture = self.classed.of_classes(labels.cpu())
        weights = mixture.log_weights.log_softmax(1)
        means = mixture.means.expand(len(labels), *mixture.means.shape)
        return MixturePosterior(replace(mixture, log_weights=weights, means=means)).sample(seed)


@dataclass(frozen=True)
class ClassMixture(Model):
    """Classes that branch like trees in the plane from a common root, each limb a thin Gaussian.

    D(y; s, c), D(y; s) and the classifier p(c | y; s) are exact. ``blur`` makes the model err as
    networks do that are too smooth: it is then exact for data with that much noise added. The
    weaker version, for autoguidance, is the same with ``weak_blur``. What samples are measured
    against is never blurred.

    Attributes:
        classes: number of trees.
        depth: generations of limbs; each limb has two smaller ones at its end.
        blur: standard deviation of the noise in the model's data.
        weak_blur: that of the weaker version.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "class_mixture"
    reference: ClassVar[str] = (
        "closed form; after the example of Karras et al. 2024, arXiv:2406.02507, Section 3"
    )
    bibtex: ClassVar[str] = paper("karras2024guiding") + paper("karras2022elucidating")

    classes: int = 2
    depth: int = 3
    blur: float = 0.0
    weak_blur: float = 0.1
    s_min: float = 0.002
    s_max: float = 80.0

    def __post_init__(self) -> None:
        require(2 <= self.classes <= 10, "classes must lie in 2..10")
        require(1 <= self.depth <= 6, "depth must lie in 1..6")
        require(0 <= self.blur < self.weak_blur < 10, "0 <= blur < weak_blur < 10 must hold")
        require(0 < self.s_min < self.s_max, "0 < s_min < s_max must hold")

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        truth = self._class_model()
        text = json.dumps(asdict(self), sort_keys=True)
        main, weak = (
            Conditional(truth.blur(std).to(device, dtype).denoise, self.classes)
            for std in (self.blur, self.weak_blur)
        )
        return ScoreModel(
            denoiser=main,
            shape=(2,),
            s_min=self.s_min,
            s_max=self.s_max,
            weights=hashlib.sha256(text.encode()).hexdigest(),
            target=Target(self.name, exact=ClassTruth(truth, self.blur)),
            weak=weak,
            classifier=truth.to(device, dtype).class_log_probs,
        )

    def _class_model(self) -> ClassedMixture:
        limbs, owner = [], []
        for label in range(self.classes):
            angle = math.pi * (label + 1) / (self.classes + 1)
            own = list(_limbs((0.0, 0.0), angle, 0.6, self.depth))
            limbs += own
            owner += [label] * len(own)
        table = torch.tensor(limbs, dtype=torch.float64)
        weights, means, angle, along, across = table.split([1, 2, 1, 1, 1], dim=1)
        turn = torch.cat([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], 1)
        vectors = turn.reshape(-1, 2, 2).mT
        values = torch.cat([along, across], 1).square()
        log_weights = (weights[:, 0] / weights.sum()).log()
        own_class = torch.tensor(owner)[:, None] == torch.arange(self.classes)
        member = torch.zeros(own_class.shape, dtype=torch.float64).masked_fill(
            ~own_class, -math.inf
        )
        return ClassedMixture(Mixture(log_weights, means, vectors, values), member)


def _limbs(
    root: tuple[float, float], angle: float, length: float, depth: int
) -> Iterator[tuple[float, ...]]:
    """(weight, mean, angle, standard deviations along and across) of a limb and all it bears."""
    step = (math.cos(angle) * length, math.sin(angle) * length)
    parts = 3
    for i in range(parts):
        at = (i + 0.5) / parts
        mean = (root[0] + at * step[0], root[1] + at * step[1])
        yield (length, *mean, angle, length / (2 * parts), 0.08 * length)
    if depth > 1:
        end = (root[0] + step[0], root[1] + step[1])
        for turn in (-0.55, 0.35):
            yield from _limbs(end, angle + turn, 0.68 * length, depth - 1)
