"""Noise of the samples' own stream for a scheduler that draws its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.api import BenchError

_REFUSED = frozenset(
    {
        *(torch.rand, torch.rand_like, torch.randint, torch.randint_like, torch.normal),
        *(torch.randperm, torch.bernoulli, torch.multinomial, torch.poisson),
        *(Tensor.normal_, Tensor.uniform_, Tensor.exponential_, Tensor.bernoulli_),
    }
)


class OwnNoise(TorchFunctionMode):
    """Answers torch.randn and torch.randn_like in its block by the samples' own noise.

    Args:
        normal: the next standard normal draw of the samples.
        shape: of all samples of the batch: only draws of this shape belong to them.
    """

    def __init__(self, normal: Callable[[], Tensor], shape: torch.Size) -> None:
        super().__init__()
        self._normal, self._shape = normal, shape
        self.draws: list[str] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        options = dict(kwargs or {})
        if func is torch.randn_like:
            like = args[0] if args else options["input"]
            drawn = self._of(like.shape, func, options)
            return drawn.to(like.device, options.get("dtype") or like.dtype)
        if func is torch.randn:
            size = options.get("size") or (args if isinstance(args[0], int) else args[0])
            drawn = self._of(torch.Size(size), func, options)
            return drawn.to(options.get("device"), options.get("dtype"))
        if func in _REFUSED:
            raise BenchError(f"the scheduler draws {func.__name__}; it may draw normal noise alone")
        return func(*args, **options)

    def draw(self, source: str) -> Tensor:
        """The next standard normal draw of the samples, and where it came from noted in `draws`."""
        self.draws.append(source)
        with torch._C.DisableTorchFunction():
            return self._normal()

    def _of(self, shape: torch.Size, func: Any, options: Mapping[str, Any]) -> Tensor:
        if shape != self._shape:
            raise BenchError(
                f"the scheduler draws noise of {tuple(shape)} for samples of {tuple(self._shape)}"
            )
        # Without a generator, the library would have drawn from torch's global one.
        given = options.get("generator") is not None
        return self.draw("generator" if given else f"torch.{func.__name__}")
