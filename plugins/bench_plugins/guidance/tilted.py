"""Distance of guided samples to the density that guidance is said to sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from bench.api import (
    NO_CLASS,
    Accumulator,
    Batch,
    Measurement,
    NoiseStream,
    Role,
    SampleMetric,
    Trial,
    Uncertainty,
    UnsupportedError,
    require,
)
from bench_plugins.guidance.papers import SZEKELY2013
from bench_plugins.guidance.scale import ScaledGuidance

_REFERENCE, _FLOOR = 2**32, 2**33
"""Added to the seeds of exact samples, so that they share nothing with the run's."""
_ROUNDS = 200


@runtime_checkable
class ClassedTruth(Protocol):
    """A closed form with classes."""

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` exact samples, float64, (count, *shape)."""
        ...

    def class_log_probs(self, y: Tensor, s: Tensor) -> Tensor:
        """ln p(c | x_0 + s eps = y), (n, classes)."""
        ...

    def sample_classes(self, labels: Tensor, seed: int) -> Tensor:
        """An exact sample of each class in ``labels`` (n,), float64, (n, *shape)."""
        ...


def sample_tilted(truth: ClassedTruth, label: int, w: float, count: int, seed: int) -> Tensor:
    """Exact samples of the density proportional to p(x) p(c | x)^w, w >= 0, (count, *shape).

    By rejection: from p(x | c) with probability p(c | x)^(w - 1) for w >= 1, else from p(x) with
    probability p(c | x)^w.

    Raises:
        UnsupportedError: hardly any is accepted.
    """
    kept: list[Tensor] = []
    found = 0
    for turn in range(_ROUNDS):
        own = seed + turn * 2**34
        labels = torch.full((count,), label)
        x = truth.sample_classes(labels, own) if w >= 1 else truth.sample(count, own)
        power = w - 1 if w >= 1 else w
        log_prob = truth.class_log_probs(x, x.new_zeros(()))[:, label]
        u = NoiseStream(own, "probe", 0, count, (1,), torch.float64).uniform()[:, 0]
        kept.append(x[u.log() < power * log_prob])
        found += len(kept[-1])
        if found >= count:
            return torch.cat(kept)[:count]
    raise UnsupportedError(f"of the density tilted by {w:g} too few exact samples were accepted")


@dataclass(frozen=True)
class TiltedDistance(SampleMetric):
    """Squared energy distance of each class's samples to exact ones; the mean over the samples.

    ``tilted_energy``: to the density proportional to p(x) p(c | x)^w, with w the guidance's scale
    (1 for autoguidance and without guidance), or ``tilt``. ``class_energy``: to p(x | c), which
    autoguidance aims at. 2 E|X-Y| - E|X-X'| - E|Y-Y'| over all pairs (the V-statistic), so that
    even exact samples have more than 0: ``*_floor``, the value to have, is that of as many.
    Standard errors are to first order, of the samples alone.

    Attributes:
        reference_samples: number of exact samples of each class.
        tilt: w >= 0; ``None``: that of the guidance.
    """

    name: ClassVar[str] = "tilted"
    reference: ClassVar[str] = (
        "Szekely and Rizzo 2013, J. Stat. Plan. Inference 143, to exact samples by rejection"
    )
    bibtex: ClassVar[str] = SZEKELY2013
    unit: ClassVar[str] = "data units"
    title: ClassVar[str] = "energy distance to the tilted density"

    reference_samples: int = 4000
    tilt: float | None = None

    def __post_init__(self) -> None:
        require(self.reference_samples >= 2, "reference_samples must be >= 2")
        require(self.tilt is None or 0 <= self.tilt <= 100, "tilt must lie in [0, 100]")

    def start(self, trial: Trial) -> Accumulator:
        exact: object = trial.model.target.exact
        if not isinstance(exact, ClassedTruth):
            raise UnsupportedError(f"{self.name} needs a closed form with classes: class_mixture")
        labels = trial.labels(0, 1)
        if labels is None or bool((labels == NO_CLASS).any()):
            raise UnsupportedError(f"{self.name} needs samples of classes; drop label: -1")
        return _Collected(self, exact, trial, self._tilt(trial))

    def _tilt(self, trial: Trial) -> float | None:
        guidance = trial.guidance
        if self.tilt is not None:
            return self.tilt
        if guidance is None or guidance.name == "none":
            return 1.0
        w = guidance.tilt if isinstance(guidance, ScaledGuidance) else None
        return w if w is not None and w >= 0 else None


@dataclass(frozen=True, eq=False)
class _Collected:
    metric: TiltedDistance
    truth: ClassedTruth
    trial: Trial
    tilt: float | None
    batches: list[Tensor] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        self.batches.append(batch.x.flatten(1).double().cpu())

    def result(self) -> Sequence[Measurement]:
        x = torch.cat(self.batches)
        labels = self.trial.labels(0, len(x))
        assert labels is not None
        own = self._to("class_energy", x, labels.cpu(), 1.0)
        if self.tilt is None:
            return own
        return [*self._to("tilted_energy", x, labels.cpu(), self.tilt), *own]

    def _to(self, name: str, x: Tensor, labels: Tensor, w: float) -> list[Measurement]:
        seed, count = self.trial.draw.seed, self.metric.reference_samples
        value, floor, parts = 0.0, 0.0, torch.zeros(len(x), dtype=torch.float64)
        for label in labels.unique().tolist():
            rows = (labels == label).nonzero()[:, 0]
            share = len(rows) / len(x)
            exact = sample_tilted(self.truth, label, w, count, seed + _REFERENCE).flatten(1)
            fresh = sample_tilted(self.truth, label, w, len(rows), seed + _FLOOR).flatten(1)
            within = float(torch.cdist(exact, exact).mean())
            energy, influence = _energy(x[rows], exact, within)
            value += share * energy
            floor += share * _energy(fresh, exact, within)[0]
            parts[rows] = influence
        error = Uncertainty.of(value, lambda: parts)
        note = f"w = {w:g}"
        unit, n = self.metric.unit, len(x)
        return [
            Measurement(
                name,
                value,
                unit,
                n,
                error.std_error,
                evidence=error.evidence,
                reference_n=count,
                note="; ".join(filter(None, (note, error.note))),
            ),
            Measurement(
                f"{name}_floor", floor, unit, n, role=Role.EXACT, belongs_to=name, note=note
            ),
        ]


def _energy(x: Tensor, y: Tensor, rest: float) -> tuple[float, Tensor]:
    """2 E|X-Y| - E|X-X'| - rest over all pairs, and the influence of each of ``x``.

    ``rest`` is E|Y-Y'|.
    """
    across, within = torch.cdist(x, y).mean(1), torch.cdist(x, x).mean(1)
    value = 2 * across.mean() - within.mean() - rest
    return float(value), 2 * (across - across.mean()) - 2 * (within - within.mean())
