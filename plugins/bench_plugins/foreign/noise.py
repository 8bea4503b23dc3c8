"""Noise of the samples' own stream, whatever a foreign sampler draws it from."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.api import BenchError, Problem
from bench_plugins.foreign.increments import CORRELATIONS, Correlation, Increments

_LIKE = {torch.randn_like: True, torch.rand_like: False}
_OF_SHAPE = {torch.randn: True, torch.rand: False}
_IN_PLACE = {Tensor.normal_: True, Tensor.uniform_: False}
_OTHERS = frozenset(
    {
        *(torch.randint, torch.randint_like, torch.randperm, torch.bernoulli, torch.multinomial),
        *(torch.normal, torch.poisson, Tensor.bernoulli_, Tensor.exponential_, Tensor.random_),
        *(Tensor.cauchy_, Tensor.geometric_, Tensor.log_normal_),
    }
)


@dataclass(frozen=True, eq=False)
class Noise:
    """Draws for one call of a function.

    Attributes:
        path: the function, for messages.
        problem: whose samples have the stream.
        like: the state: only draws of its shape belong to samples.
        draws: the source of each draw, in order.
    """

    path: str
    problem: Problem
    like: Tensor
    draws: list[str] = field(default_factory=list)

    def normal(self, source: str) -> Tensor:
        """The next standard normal draw, shape of the state."""
        self.draws.append(source)
        with torch._C.DisableTorchFunction():
            return self.problem.normal()

    def uniform(self, source: str) -> Tensor:
        """The next draw uniform on [0, 1), shape of the state."""
        self.draws.append(source)
        with torch._C.DisableTorchFunction():
            return self.problem.uniform()

    def sampler(self, correlation: Correlation | None) -> Increments:
        """k-diffusion's ``noise_sampler``."""
        return CORRELATIONS[correlation](lambda: self.normal("noise_sampler"))

    def randn_like(self, x: Tensor) -> Tensor:
        """EDM's ``randn_like``; ``x`` may be of a wider dtype than the state."""
        return self.normal("randn_like").to(x.dtype)

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Serve torch's draws of the state's shape; refuse others.

        Raises:
            BenchError: a global generator was used all the same; its state is put back.
        """
        before = _states(self.like)
        try:
            with _Serving(self):
                yield
            touched = [name for name, state in _states(self.like).items() if state != before[name]]
        finally:
            _put_back(before, self.like)
        if touched:
            raise BenchError(
                f"function: '{self.path}' draws from the global generator of "
                f"{' and '.join(touched)}, so that nobody could repeat its samples; draw with "
                "torch.randn_like(x) or what the signature gives"
            )


class _Serving(TorchFunctionMode):
    """Answers torch's random functions from a `Noise`; it is in force in its block alone."""

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        self._noise = noise

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = dict(kwargs or {})
        if func in _LIKE:
            like = args[0] if args else keywords["input"]
            draw = self._draw(func, _LIKE[func], tuple(like.shape))
            return draw.to(
                keywords.get("device") or like.device, keywords.get("dtype") or like.dtype
            )
        if func in _OF_SHAPE:
            size = keywords.get("size") or (args[0] if args and not _is_int(args[0]) else args)
            draw = self._draw(func, _OF_SHAPE[func], tuple(size))
            return draw.to(keywords.get("device"), keywords.get("dtype"))
        if func in _IN_PLACE:
            return self._fill(func, *args, **keywords)
        if func in _OTHERS:
            raise self._refusal(func, "")
        return func(*args, **keywords)

    def _fill(self, func: Any, x: Tensor, *limits: float, **keywords: Any) -> Tensor:
        keywords.pop("generator", None)
        if limits or keywords:
            raise self._refusal(func, " with parameters")
        return x.copy_(self._draw(func, _IN_PLACE[func], tuple(x.shape)))

    def _draw(self, func: Any, normal: bool, shape: tuple[int, ...]) -> Tensor:
        noise = self._noise
        if shape != tuple(noise.like.shape):
            raise self._refusal(func, f" of shape {shape}, not the state's")
        source = f"torch.{func.__name__}"
        return noise.normal(source) if normal else noise.uniform(source)

    def _refusal(self, func: Any, remark: str) -> BenchError:
        return BenchError(
            f"function: '{self._noise.path}' draws {func.__name__}{remark}; a sample's own stream "
            "has torch.randn_like(x) and torch.rand_like(x) alone"
        )


def _is_int(value: object) -> bool:
    return isinstance(value, int)


def _states(like: Tensor) -> dict[str, Any]:
    """The states of the global generators, by library."""
    state = np.random.get_state()  # noqa: NPY002 - the global one is watched
    found: dict[str, Any] = {
        "torch": torch.get_rng_state().tolist(),
        "numpy": json.loads(json.dumps(state, default=np.ndarray.tolist)),
        "random": random.getstate(),
    }
    if like.is_cuda:
        found["torch on CUDA"] = torch.cuda.get_rng_state(like.device).tolist()
    return found


def _put_back(states: Mapping[str, Any], like: Tensor) -> None:
    torch.set_rng_state(torch.tensor(states["torch"], dtype=torch.uint8))
    np.random.set_state(tuple(states["numpy"]))  # noqa: NPY002
    random.setstate(states["random"])
    if like.is_cuda:
        cuda = torch.tensor(states["torch on CUDA"], dtype=torch.uint8)
        torch.cuda.set_rng_state(cuda, like.device)
