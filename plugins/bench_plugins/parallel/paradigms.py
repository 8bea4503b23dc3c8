"""ParaDiGMS: Picard iterations over a window of DDIM steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, require
from bench_plugins.parallel.papers import SHIH2023PARADIGMS
from bench_plugins.parallel.srds import ddim


@dataclass(frozen=True)
class Paradigms(OdeSolver[None]):
    """Picard iterations y_j+1 = y_i + sum of (s_k+1 - s_k) eps(y_k; s_k), k from i to j, of DDIM.

    A sweep evaluates all points of a window in parallel and sums their steps up from its start i.
    Then the window moves on by ``stride`` points; those that enter start from its last one. Each
    point has had ``sweeps`` of them when the window leaves it behind: it grows to its size of
    stride x sweeps points, and shrinks at the end of the grid, so that N steps are N / stride +
    sweeps - 1 evaluations deep.

    The authors move the window past the points that a tolerance calls converged, by the worst
    sample of the batch; here it moves at a pace that is given, so that samples do not depend on
    each other. Their sums are of x, which differ from those of y = x / alpha before they converge.

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
    sweeps: int = 3

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
        path = [x / times[0].alpha]
        for first, end in self.windows(len(times) - 1):
            path += [path[-1]] * (end - len(path))
            found = problem.denoise_all(
                [(path[i] * times[i].alpha, times[i]) for i in range(first, end)]
            )
            y, steps = path[first], []
            for i, d in enumerate(found, first):
                share = times[i + 1].s / times[i].s - 1
                y = combine((1.0, y), (share, path[i]), (-share, d))
                steps.append(y)
            path[first + 1 :] = steps
        return path[-1] * times[-1].alpha
