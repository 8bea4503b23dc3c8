"""ParaDiGMS: Picard iterations over a window of DDIM steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.parallel.papers import SHIH2023PARADIGMS
from bench_plugins.parallel.srds import ddim


@dataclass(frozen=True)
class Paradigms(OdeSolver[None]):
    """Picard iterations z_j+1 = z_i + sum of DDIM's steps from z_k, k from i to j, over a window.

    A sweep evaluates all points of a window in parallel and sums their steps up from its start i.
    Then the window moves on by ``stride`` points; those that enter start from its last one. Each
    point has had ``sweeps`` of them when the window leaves it behind: it grows to its size of
    stride x sweeps points, and shrinks at the end of the grid, so that N steps are N / stride +
    sweeps - 1 evaluations deep.

    z = x / (alpha^2 + sigma^2)^1/2, which is x under VP, where the authors sum: in y = x / alpha a
    point is no guess of the next ones, and the sums of few steps left every bound. The authors move
    the window past the points that a tolerance calls converged, by the worst sample of the batch;
    here it moves at a pace that is given, so that samples do not depend on each other.

    Order 1: Picard's error falls with the window's length in time, sweep by sweep. With stride 1,
    or at least as many sweeps as steps, the result is DDIM's.

    Attributes:
        stride: points that the window moves on by, a sweep.
        sweeps: of every point.
    """

    name: ClassVar[str] = "paradigms"
    reference: ClassVar[str] = "Shih et al. 2023, arXiv:2305.16317, Algorithm 1 with DDIM"
    bibtex: ClassVar[str] = SHIH2023PARADIGMS
    order: ClassVar[int] = 1
    whole: ClassVar[bool] = True

    stride: int = 4
    sweeps: int = 4

    def __post_init__(self) -> None:
        require(self.stride >= 1, "stride must be >= 1")
        require(self.sweeps >= 1, "sweeps must be >= 1")

    def windows(self, steps: int) -> Iterator[tuple[int, int]]:
        """The first point and the last one (excluded) of each sweep."""
        for moved in range(self.depth(steps)):
            first = max(0, (moved + 1 - self.sweeps) * self.stride)
            yield first, min((moved + 1) * self.stride, steps)

    def cost(self, steps: int) -> int:
        return sum(end - first for first, end in self.windows(steps))

    def depth(self, steps: int) -> int:
        return -(-steps // self.stride) + self.sweeps - 1

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        return ddim(x, problem.denoise(x, now), now, then), None

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        sizes = [hypot(time.alpha, time.sigma) for time in times]
        path = [x / sizes[0]]
        for first, end in self.windows(len(times) - 1):
            path += [path[-1]] * (end - len(path))
            states = [(path[i] * sizes[i], times[i]) for i in range(first, end)]
            found = problem.denoise_all(states)
            z, new = path[first], []
            for i, (x_i, now), d in zip(range(first, end), states, found, strict=True):
                moved = ddim(x_i, d, now, times[i + 1])
                z = combine((1.0, z), (1 / sizes[i + 1], moved), (-1.0, path[i]))
                new.append(z)
            path[first + 1 :] = new
        return path[-1] * sizes[-1]
