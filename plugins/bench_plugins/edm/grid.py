"""EDM's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import NoiseProcess, Time, TimeGrid, karras_times, paper, require


@dataclass(frozen=True)
class Karras(TimeGrid):
    """Uniform in s^(1/rho).

    EDM's own grid of N points ends with sigma = 0, which the harness reaches by its final
    denoise: EDM's N steps are N - 1 steps here and the denoise. Elsewhere it is the
    "polynomial" schedule.

    Attributes:
        rho: how much finer the grid is at small noise; 7 in the paper, 1 is uniform in s.
    """

    name: ClassVar[str] = "karras"
    reference: ClassVar[str] = "Karras et al. 2022, arXiv:2206.00364, Eq. 5"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    rho: float = 7.0

    def __post_init__(self) -> None:
        require(self.rho > 0, "rho must be > 0")

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        return karras_times(process, steps, s_min, s_max, self.rho)
