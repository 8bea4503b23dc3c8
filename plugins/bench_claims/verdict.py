"""Verdicts on a claim, and the numbers that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Outcome(StrEnum):
    """The verdict on a claim, or on one number of it."""

    HOLDS = "holds"
    FAILS = "fails"
    DEPENDS = "depends"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Finding:
    """One number, and the values that it would have if the claim were true.

    Attributes:
        label: where it was measured, such as the model and the budget.
        estimate: mean over the replicates.
        low, high: ends of its interval; all intervals of a claim hold at once with 95 %.
        region: the claim holds from the one to the other.
        n: replicates.
        detectable: how far from the region's end the true value must lie for this many replicates
            to tell with probability 0.9.
        test: the test behind the interval.
        unit: of the estimate; "" for none.
    """

    label: str
    estimate: float
    low: float
    high: float
    region: tuple[float, float]
    n: int
    detectable: float
    test: str
    unit: str = ""

    @property
    def outcome(self) -> Outcome:
        """Holds or fails where the whole interval lies within or without the region."""
        if self.n == 0:
            return Outcome.NOT_RUN
        if self.low >= self.region[0] and self.high <= self.region[1]:
            return Outcome.HOLDS
        if self.high < self.region[0] or self.low > self.region[1]:
            return Outcome.FAILS
        return Outcome.UNDECIDED

    @property
    def text(self) -> str:
        """Label, estimate, interval and what would be true of it."""
        unit = f" {self.unit}" if self.unit else ""
        if self.n == 0:
            return f"{self.label} (no number)"
        interval = f"[{self.low:.3g}, {self.high:.3g}]"
        return f"{self.label}: {self.estimate:.3g} {interval}{unit}"

    @property
    def wanted(self) -> str:
        """The region in words."""
        low, high = self.region
        if np.isinf(high):
            return f"above {low:g}"
        return f"below {high:g}" if np.isinf(low) else f"between {low:g} and {high:g}"


@dataclass(frozen=True)
class Line:
    """A line of a figure: means over replicates with their intervals, (points,) each."""

    label: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Panel:
    """A figure's curves over a logarithmic axis.

    Attributes:
        title: what was run.
        x, y: labels of the axes.
        lines: the curves.
        logarithmic: whether the second axis is, too.
    """

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    logarithmic: bool = True


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim with all that it rests on.

    Attributes:
        outcome: the verdict.
        sentence: it in words.
        findings: the numbers behind it.
        panels: curves to draw.
    """

    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...]
    panels: tuple[Panel, ...] = ()

    @staticmethod
    def of(findings: Sequence[Finding], panels: Sequence[Panel] = (), remark: str = "") -> Verdict:
        """The verdict on all findings: one that fails refutes it; it depends where others hold."""
        outcome = _joint([finding.outcome for finding in findings])
        parts = [_clause(which, findings) for which in (*_DECIDED, Outcome.NOT_RUN)]
        sentence = " ".join(part for part in (*parts, remark) if part)
        return Verdict(outcome, sentence, tuple(findings), tuple(panels))


_DECIDED = (Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED)


def _joint(outcomes: Sequence[Outcome]) -> Outcome:
    found = set(outcomes) - {Outcome.NOT_RUN}
    if not found:
        return Outcome.NOT_RUN
    if Outcome.FAILS in found:
        # A claim is general: one number refutes it, and one that holds says where it is true.
        return Outcome.DEPENDS if Outcome.HOLDS in found else Outcome.FAILS
    if Outcome.UNDECIDED in found or Outcome.NOT_RUN in outcomes:
        return Outcome.UNDECIDED
    return found.pop()


def _clause(outcome: Outcome, findings: Sequence[Finding]) -> str:
    texts = [finding.text for finding in findings if finding.outcome is outcome]
    return f"{outcome.value.capitalize()} for {'; '.join(texts)}." if texts else ""
