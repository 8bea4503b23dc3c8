"""PiGDM: the score of a Gaussian around D."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Passes, require, rows_of
from bench_plugins.inverse.papers import SONG2023PIGDM


@dataclass(frozen=True)
class PiGdm(Guidance[None]):
    """D + s^2 J^T A^T (r^2 A A^T + noise^2 I)^-1 (y - A D), with J = dD/dy_t; one VJP a call.

    It is the exact conditional D if x_0 given x_t is N(D, r^2 I): for data N(m, c^2 I) with
    c = ``data_std``. For others r is a guess, too large in directions in which the data hardly
    vary. This is the paper's score in any solver; the authors' code leaves D in the DDIM step
    as it is and adds the gradient with a weight of its own, the observation being without noise.

    Attributes:
        data_std: c in r^2 = s^2 c^2 / (s^2 + c^2); the paper's is 1.
    """

    name: ClassVar[str] = "pigdm"
    reference: ClassVar[str] = (
        "Song, Vahdat, Mardani and Kautz 2023 (ICLR), Pseudoinverse-Guided Diffusion"
    )
    bibtex: ClassVar[str] = SONG2023PIGDM
    observes: ClassVar[bool] = True

    data_std: float = 1.0

    def __post_init__(self) -> None:
        require(
            self.data_std > 0 and math.isfinite(self.data_std), "data_std must be finite and > 0"
        )

    @property
    def passes(self) -> Passes:
        return Passes(1, 1)

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        seen, a = given.observation, given.observation.linear
        d, vjp = given.usual.with_vjp(y, s)
        level, width = rows_of(s, seen.value).square(), self.data_std**2
        spread = level * width / (level + width) * a.values.square() + seen.noise**2
        pull = vjp(a.image(a.values / spread * seen.residual(d)))
        return Guided(d + rows_of(s, y).square() * pull, d)
