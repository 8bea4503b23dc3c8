"""Heun++ 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import OdeSolver, Problem, Time, combine, paper


@dataclass(frozen=True)
class Ahead:
    """The rest of the grid.

    Attributes:
        top: the largest noise level of the grid.
        times: the points that are left, from the step's start on.
    """

    top: float
    times: tuple[Time, ...]


@dataclass(frozen=True)
class HeunPP2(OdeSolver[Ahead]):
    """Euler's slopes at the next one and two points of the grid, weighted by their noise levels.

    y_then = y + h (w_0 eps + w_1 eps_1 + w_2 eps_2) with w_k = s_k / (3 s_top), w_0 what they leave
    of 1, and eps_1, eps_2 after Euler's steps to the next points. The last step has no point beyond
    and takes w_1 = s_1 / (2 s_top); the authors' step to zero noise is the host's final denoise.
    3 N - 1 evaluations. The weights are no consistent choice but for one noise level: order 1.
    In y, so that it is the same under every process.
    """

    name: ClassVar[str] = "heunpp2"
    reference: ClassVar[str] = (
        "Carzit 2023, github.com/Carzit/sd-webui-samplers-scheduler, Heun++; ComfyUI, heunpp2"
    )
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    order: ClassVar[int] = 1

    def cost(self, steps: int) -> int:
        return 3 * steps - 1

    def start(self, times: Sequence[Time]) -> Ahead:
        return Ahead(max(times[0].s, times[-1].s), tuple(times))

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: Ahead
    ) -> tuple[Tensor, Ahead]:
        points = state.times[:3]
        stages = len(points)
        terms: list[tuple[float, Tensor]] = []
        stage, rest = x, 1.0
        for i, point in enumerate(points):
            slope = problem.eps(stage, point)
            if i > 0:
                weight = point.s / (stages * state.top)
                rest -= weight
                terms.append((weight, slope))
            else:
                first = slope
            if i + 1 < stages:
                end = points[i + 1]
                keep = end.alpha / point.alpha
                stage = combine((keep, stage), (end.alpha * (end.s - point.s), slope))
        step = then.alpha * (then.s - now.s)
        weighted = [(step * weight, slope) for weight, slope in ((rest, first), *terms)]
        left = Ahead(state.top, state.times[1:])
        return combine((then.alpha / now.alpha, x), *weighted), left
