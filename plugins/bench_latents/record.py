"""The record of how samples or codes came about, which their files carry."""

from __future__ import annotations

import json
from typing import Any

import torch

from bench.api import Trial
from bench.project import __version__
from bench_latents.options import PathOptions
from bench_latents.setting import Names

KEY = "scorebench"
"""The name of the record in a PNG."""

Record = dict[str, Any]


def record_of(command: str, names: Names, path: PathOptions, trial: Trial, nfe: float) -> Record:
    """All that one needs to make the same again, and the hash of the weights."""
    s_min, s_max = trial.span
    adaptive = trial.sampler.adaptive
    return {
        "command": command,
        "scorebench": __version__,
        "torch": str(torch.__version__),
        "model": names.model,
        "weights": trial.model.weights,
        "data": trial.model.target.data,
        "label": names.label,
        "process": path.process,
        "solver": names.solver,
        "corrector": names.corrector,
        "grid": None if adaptive else path.grid or "karras",
        "steps": None if adaptive else len(trial.times) - 1,
        "budget": None if adaptive else names.budget,
        "nfe": nfe,
        "s_min": s_min,
        "s_max": s_max,
        "seed": path.seed,
        "samples": trial.draw.samples,
        "dtype": path.dtype.value,
        "device": str(trial.draw.device),
    }


def describe(record: Record, what: str) -> str:
    """One line: what was made, of which model, how and at which cost."""
    sampler = record["solver"] + (f" + {record['corrector']}" if record["corrector"] else "")
    grid = f" on {record['grid']}" if record["grid"] else ""
    return (
        f"{what} of {record['model']} (weights {record['weights'][:12]}): {sampler}{grid} under "
        f"{record['process']}, NFE {record['nfe']:g}, s from {record['s_max']:g} to "
        f"{record['s_min']:g}, seed {record['seed']}"
    )


def to_text(record: Record) -> str:
    """The record as JSON, of ASCII alone."""
    return json.dumps(record, sort_keys=True)
