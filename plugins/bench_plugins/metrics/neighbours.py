"""Precision, recall, density and coverage of a sample against another, with their jackknife.

A point's ball reaches to its k-th neighbour among its own kind. Precision is the share of samples
in some real point's ball, recall that of real points in some sample's ball (Kynkaanniemi et al.
2019, arXiv:1904.06991, Eq. 1 to 3); density is the mean number of real balls that a sample is in,
over k, and coverage the share of real balls that hold a sample (Naeem et al. 2020,
arXiv:2002.09797, Eq. 3 to 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_PAIRS = 4_000_000
"""Distances that are in memory at a time."""


@dataclass(frozen=True, eq=False)
class Share:
    """A share, and its change by leaving out each sample.

    Attributes:
        value: the share.
        changes: the share without sample j less the share, (n,).
    """

    value: float
    changes: Tensor

    @property
    def influence(self) -> Tensor:
        """The influence of each sample on the share, (n,), of mean 0, by the jackknife.

        Their standard deviation over the root of n is the jackknife's standard error, which
        errs on the large side (Efron and Stein 1981).
        """
        return (len(self.changes) - 1) * (self.changes.mean() - self.changes)


@dataclass(frozen=True, eq=False)
class Fidelity:
    """The four numbers of n samples against N real points.

    Attributes:
        precision: of each sample, 1 if it is in some real point's ball, else 0, (n,).
        density: of each sample, how many of those balls it is in, over k, (n,).
        recall: the share of real points in some sample's ball.
        coverage: the share of real points whose ball holds some sample.
    """

    precision: Tensor
    density: Tensor
    recall: Share
    coverage: Share


@dataclass(frozen=True, eq=False)
class _Balls:
    """Distances to the k-th and the next neighbour, (n,), and the first k neighbours, (n, k)."""

    radius: Tensor
    wider: Tensor
    nearest: Tensor


def fidelity(samples: Tensor, real: Tensor, k: int) -> Fidelity:
    """Precision, density, recall and coverage of ``samples`` (n, d) against ``real`` (N, d).

    Both are float64 on one device, and n and N are at least k + 2.
    """
    n, count = len(samples), len(real)
    own, known = _balls(samples, k), _balls(real, k)
    hits = samples.new_zeros(n)
    recall, coverage = _Changes.of(samples), _Changes.of(samples)
    for rows, distance in _distances(real, samples):
        in_real = distance <= known.radius[rows, None]
        hits += in_real.sum(0)
        coverage.add(in_real)
        recall.add(distance <= own.radius)
        recall.widen(distance, own)
    return Fidelity(
        (hits > 0).to(samples.dtype), hits / k, recall.share(count), coverage.share(count)
    )


def expected_coverage(samples: int, real: int, k: int) -> float:
    """The mean coverage of samples from the real points' own distribution, whatever it is.

    1 less the probability that the k nearest of the other points around a real one are all real
    (Naeem et al. 2020, Eq. 11, for unequal numbers).
    """
    missed = 1.0
    for j in range(k):
        missed *= (real - 1 - j) / (real - 1 - j + samples)
    return 1 - missed


@dataclass(eq=False)
class _Changes:
    """Real points found so far, and those gained and lost without each sample."""

    found: int
    changes: Tensor

    @staticmethod
    def of(samples: Tensor) -> _Changes:
        return _Changes(0, samples.new_zeros(len(samples)))

    def add(self, inside: Tensor) -> None:
        """Count real points (rows) that are inside of some sample's (column's) set."""
        times = inside.sum(1)
        self.found += int((times > 0).sum())
        self.changes -= inside[times == 1].sum(0)

    def widen(self, distance: Tensor, balls: _Balls) -> None:
        """Correct for samples' balls, which grow where one of their k neighbours is left out."""
        inside = distance <= balls.radius
        times = inside.sum(1)
        few = (times <= 1).nonzero()[:, 0]
        between = (distance[few] <= balls.wider) & ~inside[few]
        row, column = between.nonzero(as_tuple=True)
        n = len(balls.radius)
        codes = (row[:, None] * n + balls.nearest[column]).unique()
        row, missing = codes // n, codes % n
        # Found without `missing` though in no ball before, or in none but that of `missing`.
        held = (times[few[row]] == 0) | inside[few[row], missing]
        self.changes += torch.bincount(missing[held], minlength=n)

    def share(self, count: int) -> Share:
        return Share(self.found / count, self.changes / count)


def _balls(points: Tensor, k: int) -> _Balls:
    found = [
        distance.topk(k + 2, dim=1, largest=False) for _, distance in _distances(points, points)
    ]
    values = torch.cat([part.values for part in found])
    nearest = torch.cat([part.indices for part in found])
    # The nearest of all is the point itself; among equal points any of them may stand for it.
    self_first = nearest == torch.arange(len(points), device=points.device)[:, None]
    self_first[:, 0] |= ~self_first.any(1)
    others = nearest[~self_first].reshape(len(points), k + 1)
    return _Balls(values[:, k], values[:, k + 1], others[:, :k])


def _distances(rows: Tensor, columns: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Indices of some of ``rows`` and their distances to all ``columns``, part by part."""
    step = max(1, _PAIRS // len(columns))
    for index in torch.arange(len(rows), device=rows.device).split(step):
        # Not by |x|^2 - 2 x y + |y|^2, which loses the digits of short distances.
        mode = "donot_use_mm_for_euclid_dist"
        yield index, torch.cdist(rows[index], columns, compute_mode=mode)
