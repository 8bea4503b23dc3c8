"""What the uncertainty of a number rests on: one number for each sample, stored beside the table.

``Measurement.evidence`` says what they are. They are kept in float32, one file for each cell with
one vector for each metric; a metric with more than ``LIMIT`` bytes of them goes without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from bench.core.metric import Measurement
    from bench.run.outcome import Outcome

Values = npt.NDArray[np.float32]

LIMIT = 4 * 2**20
"""Bytes of evidence that one metric of one cell may leave: a million samples."""


def evidence_of(outcomes: Sequence[Outcome[Sequence[Measurement]]]) -> dict[str, Values]:
    """The evidence of all numbers of a cell, by metric.

    What does not fit its number (another length, another mean, not finite) is left out: a
    comparison then falls back on seeds or on the standard error.
    """
    numbers = (number for outcome in outcomes for number in outcome.value or ())
    return {number.metric: values for number in numbers for values in _usable(number)}


def _usable(number: Measurement) -> Iterator[Values]:
    try:
        values = _vector(number.evidence)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return
    if values.ndim != 1 or not 2 <= len(values) == number.n or values.nbytes > LIMIT:
        return
    if fits(values, number.value):
        yield values


def _vector(given: Any) -> Values:
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    return np.asarray(given, dtype=np.float32)


def fits(values: Values, value: float) -> bool:
    """Whether the mean of the evidence is the number itself, as far as float32 can tell."""
    wide = values.astype(np.float64)
    if not (np.isfinite(wide).all() and math.isfinite(value)):
        return False
    scale = max(abs(value), float(np.abs(wide).max()))
    return abs(float(wide.mean()) - value) <= 1e-5 * scale


def packed(evidence: Mapping[str, Values]) -> bytes:
    """The content of the file of a cell."""
    from safetensors.numpy import save

    contents: bytes = save({name: np.ascontiguousarray(v) for name, v in evidence.items()})
    return contents


def unpacked(path: Path) -> dict[str, Values]:
    """The evidence in a file; empty where there is none, or it is damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError, ValueError, KeyError):
        return {}
