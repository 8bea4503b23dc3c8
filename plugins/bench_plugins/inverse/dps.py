"""DPS: a step down the misfit of D after each step of the solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bench.api import Given, Guidance, Guided, Passes, Time, require
from bench_plugins.inverse.gradient import LastGradient, descend, evaluate
from bench_plugins.inverse.papers import CHUNG2023DPS


@dataclass(frozen=True)
class Dps(Guidance[LastGradient]):
    """x_then = (the solver's step) - zeta / ||y - A(D)|| grad ||y - A(D)||^2, for any A.

    The gradient is in x_now, through the network: one VJP with each evaluation, the final one
    (whose gradient is not used) too. zeta sets a length of the step, whatever the number of steps
    and the noise, so that no limit of small steps exists and no distribution is sampled: samples
    gather near solutions of y = A(x). The paper's process is variance preserving; under others the
    samples are the same on the same noise levels. A solver of several stages uses the gradient of
    its last evaluation, at that evaluation's own point, and a corrector is followed by a step of
    its own. The authors' code differentiates the norm and not its square: their ``scale`` is
    2 zeta.

    Attributes:
        zeta: zeta', the length of the step.
    """

    name: ClassVar[str] = "dps"
    reference: ClassVar[str] = "Chung et al. 2023, arXiv:2209.14687, Algorithm 1"
    bibtex: ClassVar[str] = CHUNG2023DPS
    observes: ClassVar[bool] = True

    zeta: float = 0.5

    def __post_init__(self) -> None:
        require(self.zeta > 0, "zeta must be > 0")

    @property
    def passes(self) -> Passes:
        return Passes(1, 1)

    def start(self, given: Given) -> LastGradient:
        return LastGradient()

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: LastGradient) -> Guided:
        d = evaluate(given, y, s, memory)
        return Guided(d, d)

    def settle(self, given: Given, x: Tensor, now: Time, memory: LastGradient) -> Tensor:
        return descend(x, now, memory, self.zeta)
