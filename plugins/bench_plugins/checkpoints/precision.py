"""Arithmetic of a network; preconditioning and the state keep theirs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from bench.api import BenchError, Model, first_line, tf32
from bench_plugins.checkpoints.common import freeze

Precision = Literal["float32", "tf32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class NetworkModel(Model):
    """A model whose denoiser calls a network.

    Attributes:
        precision: of the network only: `float32`, `tf32`, `bfloat16` or `float16`; ``None``: the
            protocol's dtype. Weights stay in float32 with all four; with the last two,
            convolutions and matrix products are rounded (torch.autocast).
        compiled: whether torch.compile translates the network first (a minute for each shape).
    """

    precision: Precision | None = None
    compiled: bool = False

    def prepare(self, network: nn.Module, device: torch.device, dtype: torch.dtype) -> Running:
        """``network`` for evaluation on ``device``, for a state of ``dtype``."""
        inner = dtype if self.precision is None else torch.float32
        network = freeze(network, device, inner)
        return Running(network, inner, device.type, self.precision, self.compiled)


class Running(nn.Module):
    """A frozen network in its own arithmetic: called with a state of any dtype, it answers so.

    The other arguments are handed on as they are: noise levels keep their float64.
    """

    def __init__(
        self,
        network: nn.Module,
        inner: torch.dtype,
        device: str,
        precision: Precision | None = None,
        compiled: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.inner, self.device, self.compiled = inner, device, compiled
        self.tf32 = precision == "tf32"
        self.rounded = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision or "")
        self.run = torch.compile(network) if compiled else network

    def forward(self, x: Tensor, *others: Tensor | None) -> Tensor:
        """The network's answer to ``x`` (n, ...), in the dtype of ``x``."""
        # Autocast rather than a cast of the weights: that would round frequencies of embeddings,
        # and with them the noise level.
        with tf32(self.tf32), self._autocast():
            raw: Tensor = self._run(x.to(self.inner), *others)
        return raw.to(x.dtype)

    def _autocast(self) -> AbstractContextManager[object]:
        if not torch.amp.is_autocast_available(self.device):
            return nullcontext()  # tensors without memory
        return torch.autocast(self.device, dtype=self.rounded, enabled=self.rounded is not None)

    def _run(self, *arguments: Tensor | None) -> Tensor:
        if not self.compiled:
            return self.run(*arguments)  # type: ignore[no-any-return]
        # Here, because it takes seconds to import.
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self.run(*arguments)  # type: ignore[no-any-return]
        except TorchDynamoException as error:
            raise BenchError(
                f"compiled: torch.compile fails on this network ({first_line(error)[:200]}); "
                "install a C++ compiler (and Triton for a GPU), or leave compiled out"
            ) from None
