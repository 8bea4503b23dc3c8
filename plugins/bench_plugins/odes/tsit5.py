"""Tsitouras's embedded pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.api import paper
from bench_plugins.odes.embedded import EmbeddedPair, EmbeddedRungeKutta
from bench_plugins.odes.papers import TSITOURAS2011RUNGE


@dataclass(frozen=True)
class Tsit5(EmbeddedRungeKutta):
    """Tsitouras 5(4) in t with a step size for each sample; order 5, counted evaluations.

    Two evaluations choose the first step (one of them is its first stage), each attempt costs six
    more, rejected ones too. Julia's and diffrax's default pair, here with the plain step-size
    controller of dopri5.

    Attributes:
        rtol: relative tolerance.
        atol: absolute tolerance; ``None``: the same as ``rtol``.
    """

    name: ClassVar[str] = "tsit5"
    reference: ClassVar[str] = (
        "Tsitouras 2011, doi:10.1016/j.camwa.2011.06.002; step control of Hairer, "
        "Norsett and Wanner 1993, Section II.4"
    )
    bibtex: ClassVar[str] = paper("hairer1993solving") + TSITOURAS2011RUNGE
    order: ClassVar[int] = 5
    pair: ClassVar[EmbeddedPair] = EmbeddedPair(
        a=(
            (0.161,),
            (-0.008480655492356989, 0.335480655492357),
            (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
            (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
            (
                5.86145544294642,
                -12.92096931784711,
                8.159367898576159,
                -0.071584973281401,
                -0.028269050394068383,
            ),
            (
                0.09646076681806523,
                0.01,
                0.4798896504144996,
                1.379008574103742,
                -3.290069515436081,
                2.324710524099774,
            ),
        ),
        c=(0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
        error=(
            -0.001780011052225777,
            -0.0008164344596567469,
            0.007880878010261995,
            -0.1447110071732629,
            0.5823571654525552,
            -0.45808210592918697,
            1 / 66,
        ),
        error_order=5,
    )
