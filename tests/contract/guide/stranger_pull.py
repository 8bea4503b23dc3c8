from dataclasses import dataclass
from typing import ClassVar

from bench.api import Guidance, Guided, hookimpl, require


@dataclass(frozen=True)
class Pull(Guidance[None]):
    """D + strength A^T (y - A D): one gradient step on the misfit of D.

    Attributes:
        strength: length of the step, in [0, 1].
    """

    name: ClassVar[str] = "pull"
    reference: ClassVar[str] = "Doe 2026, arXiv:2601.00003, Eq. 2"
    observes: ClassVar[bool] = True

    strength: float = 0.5

    def __post_init__(self):
        require(0 <= self.strength <= 1, "strength must lie in [0, 1]")

    def guide(self, given, y, s, memory):
        seen, d = given.observation, given.usual(y, s)
        return Guided(d + self.strength * seen.linear.adjoint(seen.residual(d)), d)


@hookimpl
def bench_guidances():
    return [Pull]
