"""Relative distances of codes, and the measurement that their mean is."""

from __future__ import annotations

import math

from torch import Tensor

from bench.api import CountedDenoiser, Measurement, Role


def relative_distances(found: Tensor, true: Tensor) -> Tensor:
    """||found - true|| / ||true|| of each row, (n,), float64 on the CPU."""
    a, b = (item.flatten(1).double().cpu() for item in (found, true))
    distance: Tensor = (a - b).norm(dim=1) / b.norm(dim=1)
    return distance


def summarise(
    name: str,
    values: Tensor,
    role: Role,
    counted: CountedDenoiser | None = None,
    reference: str = "",
    belongs_to: str = "",
    note: str = "",
) -> Measurement:
    """The mean of ``values`` (n,), each of an own sample, with what it cost ``counted``."""
    n = len(values)
    return Measurement(
        name,
        float(values.mean()),
        "1",
        n,
        float(values.std()) / math.sqrt(n) if n > 1 else None,
        reference=reference,
        nfe=counted.evaluations.nfe(n) if counted else 0.0,
        role=role,
        belongs_to=belongs_to,
        evidence=values,
        note=note,
    )
