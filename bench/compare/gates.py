"""Gates: metrics that must not get worse, such as `--gate metric:+2%`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.core.errors import BenchError

TOLERANCE = 0.02
"""Relative difference that does not matter, where no gate says otherwise."""

TIME_TOLERANCE = 0.1
"""The same for times."""

TIME = "time"
"""Name of the sampling time per network evaluation, among the metrics."""

_LIMIT = re.compile(
    r"(?P<sign>±|\+-|\+/-|[+-]?)(?P<number>[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)(?P<percent>%?)"
)


@dataclass(frozen=True)
class Gate:
    """A metric that must not get worse by more than a tolerance.

    Attributes:
        pattern: name of the metric, or a glob.
        tolerance: the loss that is let pass, >= 0.
        relative: whether the tolerance is a share of BASE's value, else in the metric's unit.
        both: whether a gain above the tolerance fails, too: what should change nothing must not
            make a metric better either.
    """

    pattern: str
    tolerance: float
    relative: bool = True
    both: bool = False

    @staticmethod
    def parse(text: str) -> Gate:
        """A gate from ``metric``, ``metric:+2%``, ``metric:+0.1`` or ``metric:±2%``.

        Raises:
            BenchError: it is none of these.
        """
        pattern, colon, limit = text.rpartition(":") if ":" in text else (text, "", "")
        if pattern and not colon:
            return Gate(pattern, TIME_TOLERANCE if pattern == TIME else TOLERANCE)
        found = _LIMIT.fullmatch(limit.strip())
        value = float(found["number"]) if found else math.nan
        if not pattern or found is None or not math.isfinite(value):
            raise BenchError(
                f"--gate {text}: write METRIC:+2% or METRIC:+0.1 (what may be lost, a share of "
                "BASE's value or in the metric's unit), or ± for gains that fail, too"
            )
        both = len(found["sign"]) > 1 or found["sign"] == "±"
        relative = bool(found["percent"])
        return Gate(pattern, value / 100 if relative else value, relative, both)

    @property
    def text(self) -> str:
        """As a user would write it."""
        amount = f"{100 * self.tolerance:g}%" if self.relative else f"{self.tolerance:g}"
        return f"{self.pattern}:{'±' if self.both else '+'}{amount}"


def gate_of(metric: str, gates: Sequence[Gate]) -> Gate | None:
    """The gate of a metric: the first whose pattern fits."""
    return next((gate for gate in gates if fnmatchcase(metric, gate.pattern)), None)
