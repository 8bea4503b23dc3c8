"""Colours of the report, and the style of each curve: the same in every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import pandas as pd

from bench.extensions.figure import CurveStyle
from bench.render.labels import shorten_label
from bench.results.frame import SUBJECT


@dataclass(frozen=True)
class Ink:
    """A colour on white paper and its counterpart on a dark screen."""

    name: str
    light: str
    dark: str


# Found by a search for colours that stay apart under protanopia, deuteranopia and tritanopia, with
# contrast enough for thin lines (tests/report/test_looks.py measures both). Pairs keep their hue.
HUES: tuple[Ink, ...] = (
    Ink("hue-0", "#01396a", "#4fa0ca"),
    Ink("hue-1", "#bb8517", "#907b0d"),
    Ink("hue-2", "#1ba560", "#9affcf"),
    Ink("hue-3", "#8f1644", "#bd6159"),
    Ink("hue-4", "#6663fe", "#937bf6"),
    Ink("hue-5", "#572b02", "#fcb576"),
    Ink("hue-6", "#6e02ad", "#e61d9b"),
    Ink("hue-7", "#8d9196", "#d3e1f6"),
)

TEXT = Ink("text", "#1b1f24", "#e6e9ed")
MUTED = Ink("muted", "#6b7078", "#9aa2ab")
LINE = Ink("line", "#d3d7dc", "#3b424a")
PAPER = Ink("paper", "#ffffff", "#15181c")

INKS: tuple[Ink, ...] = (*HUES, TEXT, MUTED, LINE, PAPER)
"""Every colour of the figures: a page exchanges the light for the dark by name."""

# Their number has no divisor in common with the number of hues: each pair of the two is unique
# for as many curves as their product.
MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P", "X", "<", "p", "h", ">")


class SamplerKind(Enum):
    """Kind of sampler, with its heading in legends and its line styles.

    The first style is for as many curves as there are hues; with each round of hues comes the
    next: solid and nearly solid lines, dashes with dots, short dashes.
    """

    ODE = ("ODE solvers", ((), (11.0, 1.3), (18.0, 1.3, 5.0, 1.3)))
    ADAPTIVE = (
        "Adaptive solvers",
        ((5.0, 1.5, 1.0, 1.5), (5.0, 1.5, 1.0, 1.5, 1.0, 1.5), (9.0, 1.5, 1.0, 1.5)),
    )
    STOCHASTIC = ("Stochastic samplers", ((3.0, 1.5), (1.2, 1.2), (3.0, 3.0)))

    def __init__(self, heading: str, patterns: tuple[tuple[float, ...], ...]) -> None:
        self.heading = heading
        self.patterns = patterns


# Where the colours of each kind begin: small figures have few curves of each.
_FIRST_HUE = {SamplerKind.ODE: 0, SamplerKind.ADAPTIVE: 5, SamplerKind.STOCHASTIC: 6}


def curve_styles(frame: pd.DataFrame) -> Mapping[str, CurveStyle]:
    """Return a style for each curve of a prepared frame, by kind, then by name.

    Within a kind, colours go first to the curves that most figures show, so that those differ
    most; kinds differ in their line style already.
    """
    first = frame.drop_duplicates("curve").sort_values("curve")
    rows = zip(first["curve"], first["solver_kind"], first["stochastic"], strict=True)
    unsorted = [(str(curve), _kind(kind, stochastic)) for curve, kind, stochastic in rows]
    kinds = {curve: kind for wanted in SamplerKind for curve, kind in unsorted if kind is wanted}
    shown = frame.drop_duplicates(["curve", *SUBJECT])["curve"].value_counts()
    places = {
        curve: i
        for wanted in SamplerKind
        for i, curve in enumerate(
            sorted((c for c in kinds if kinds[c] is wanted), key=lambda c: -int(shown[c])),
            start=_FIRST_HUE[wanted],
        )
    }
    labels = _unique(shorten_label(curve, 44) for curve in kinds)
    return {
        curve: _style(number, label, kind, places[curve])
        for number, ((curve, kind), label) in enumerate(zip(kinds.items(), labels, strict=True))
    }


def _style(number: int, label: str, kind: SamplerKind, place: int) -> CurveStyle:
    # Shifted once more, so that equal hues of two kinds have other markers.
    marker = MARKERS[(place + _FIRST_HUE[kind] // 2) % len(MARKERS)]
    pattern = kind.patterns[(place - _FIRST_HUE[kind]) // len(HUES) % len(kind.patterns)]
    color = HUES[place % len(HUES)].light
    return CurveStyle(number, label, kind.heading, color, marker, (0.0, pattern))


def _kind(solver_kind: str, stochastic: bool) -> SamplerKind:
    if solver_kind == "adaptive":
        return SamplerKind.ADAPTIVE
    return SamplerKind.STOCHASTIC if stochastic else SamplerKind.ODE


def _unique(labels: Iterable[str]) -> tuple[str, ...]:
    """Number the labels that were shortened to the same text."""
    seen: dict[str, int] = {}
    unique = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        unique.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return tuple(unique)
