"""The error of a number, which may fail to be found without costing the number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Uncertainty:
    """The error of a number, in the fields of the same names of a `Measurement`.

    Attributes:
        std_error: standard error; None where it is unknown.
        evidence: one number for each sample, shape (n,), with the number as their mean.
        note: why there is none; "" where there is one.
    """

    std_error: float | None = None
    evidence: Tensor | None = None
    note: str = ""

    @staticmethod
    def of(value: float, influence: Callable[[], Tensor]) -> Uncertainty:
        """The error of a smooth statistic of n samples, to first order.

        Args:
            value: the statistic.
            influence: computes how much each sample moves it, (n,), of mean 0 (Hampel 1974); the
                standard deviation over the root of n is the standard error. Whatever it raises
                becomes the note: an error bar that cannot be had never costs the value.
        """
        try:
            parts = influence()
            n = len(parts)
            error = float(parts.std()) / math.sqrt(n) if n > 1 else math.nan
        except Exception as fault:
            reason = " ".join(str(fault).split())[:200]
            return Uncertainty(note=f"no standard error ({type(fault).__name__}: {reason})")
        if not math.isfinite(error):
            reason = "one sample has none" if n == 1 else "some sample's influence is not finite"
            return Uncertainty(note=f"no standard error ({reason})")
        return Uncertainty(error, value + parts)


def given_error(given: object) -> Uncertainty:
    """A standard error as a metric handed it out, or a note that it is none (text, negative)."""
    if given is None:
        return Uncertainty()
    try:
        error = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        error = math.nan
    if math.isfinite(error) and error >= 0:
        return Uncertainty(error)
    return Uncertainty(note="no standard error (what the metric gave for it is none)")
