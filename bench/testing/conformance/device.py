"""Devices: a plugin runs where its input is (tried on torch's meta device)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.model import CountedDenoiser
from bench.core.noise import NoiseStream
from bench.core.problem import Problem
from bench.testing.conformance.finding import Nonconformity, NotApplicable, demand
from bench.testing.conformance.laboratory import SHAPE
from bench.testing.plugins import process_of

_META = torch.device("meta")


def demand_any_device(run: Callable[[Problem, Tensor], Tensor]) -> None:
    """Demand that ``run`` of a problem and ``x`` reads no value and stays where ``x`` is."""
    noise = NoiseStream(0, "sampler", 0, 4, SHAPE, torch.float32, _META)
    problem = Problem(process_of("vp"), CountedDenoiser(lambda y, s: y / (1 + s * s)), noise)
    try:
        end = run(problem, torch.zeros(4, *SHAPE, device=_META))
    except UnsupportedError as refusal:
        raise NotApplicable(str(refusal)) from None
    except (RuntimeError, NotImplementedError) as error:
        raise Nonconformity(
            "the step runs on any device and never waits for it",
            f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            "make new tensors with like x (torch.zeros_like, device=x.device); read no values "
            "(.item(), float(), if tensor) inside a step",
        ) from None
    demand(
        end.device == _META,
        "the result is on the device of x",
        f"it is on {end.device}",
        "do not move tensors inside a step",
    )
