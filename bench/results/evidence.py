"""The evidence of a number: one value for each sample, on which its uncertainty rests.

``Measurement.evidence`` says what they are. They are kept in float32 beside the table, one file for
each cell with one vector for each metric; a metric with more than ``LIMIT`` bytes of them goes
without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.results import seal

Values = npt.NDArray[np.float32]

LIMIT = 4 * 2**20
"""Bytes of evidence that one metric of one cell may leave: a million samples."""


def usable(given: Any, value: float, n: int) -> Values | None:
    """Return what a metric handed out as evidence of ``value``; None where it cannot be that.

    It is left out (another length, another mean, not finite, too large) rather than believed: a
    comparison then falls back on seeds or on the standard error.

    Args:
        given: a tensor, an array or a list; None where the metric has no evidence.
        value: the number.
        n: how many samples it rests on.
    """
    if given is None:
        return None
    try:
        values = _vector(given)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return None
    if values.ndim != 1 or not 2 <= len(values) == n or values.nbytes > LIMIT:
        return None
    return values if fits(values, value) else None


def _vector(given: Any) -> Values:
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    return np.asarray(given, dtype=np.float32)


def fits(values: Values, value: float) -> bool:
    """Tell whether the mean of the evidence is the number itself, as far as float32 can tell."""
    wide = values.astype(np.float64)
    if not (np.isfinite(wide).all() and math.isfinite(value)):
        return False
    scale = max(abs(value), float(np.abs(wide).max()))
    return abs(float(wide.mean()) - value) <= 1e-5 * scale


def name_of(metric: str, params: str) -> str:
    """Return the name of a vector: the number, with the parameters of its metric if it has any."""
    return metric if params in ("", "{}") else f"{metric} {params}"


def found_in(evidence: Mapping[str, Values], metric: str, params: str) -> Values | None:
    """Return the vector of one number; None where there is none."""
    exact = evidence.get(name_of(metric, params))
    if exact is not None or params not in ("", "{}"):
        return exact
    # Rows that an earlier version wrote do not tell the parameters of their metrics.
    others = [values for name, values in evidence.items() if name.startswith(f"{metric} ")]
    return others[0] if len(others) == 1 else None


def pack(evidence: Mapping[str, Values], place: str) -> bytes:
    """Return the content of a file of evidence, whose seal says that it is ``place``."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(v) for name, v in evidence.items()}
    contents: bytes = save(arrays, metadata={"seal": seal.blank(place).decode()})
    return seal.fill(contents)


def read(path: Path, place: str) -> dict[str, Values]:
    """Read the evidence in a file; empty where there is none.

    Raises:
        DamagedError: the file is damaged, or of another place.
    """
    try:
        content = seal.read(path, place)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return unpack(content, path)


def unpack(content: bytes, path: Path) -> dict[str, Values]:
    """Return the evidence in a file whose seal was verified."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise seal.DamagedError(path, f"is damaged ({error})") from None
