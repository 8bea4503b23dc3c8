"""Paths of a process as arrays, without torch: what a run keeps and a report draws."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Paths:
    """The picture of a model under a process.

    Attributes:
        name: of its file; a hash of model and process.
        arrays: `about` (JSON: the plugins), `t` (T,), `x` (X,), `density` (T, X) of the first
            coordinate, 255 where it is largest at that time; `forward`, `reverse` and `flow`
            (paths, T), of the first coordinate.
    """

    name: str
    arrays: dict[str, Array]


def name_of(model: tuple[str, str], weights: str, process: tuple[str, str]) -> str:
    """Return the name of the file of a model under a process.

    Args:
        model, process: name and canonical JSON of the parameters.
        weights: of the model.
    """
    identity = {"model": [*model, weights], "process": [*process]}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
