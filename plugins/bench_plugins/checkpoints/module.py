"""Any PyTorch module as a normalised denoiser."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.api import (
    Asset,
    BenchError,
    Denoiser,
    FilePath,
    ScoreModel,
    code_identity,
    from_eps,
    from_score,
    import_named,
    inert,
    paper,
    require,
)
from bench_plugins.checkpoints.catalogue import asset_of, local_path
from bench_plugins.checkpoints.common import build_network, file_hash, pixel_target
from bench_plugins.checkpoints.precision import NetworkModel, Running
from bench_plugins.checkpoints.reading.safe_files import read_safetensors
from bench_plugins.checkpoints.reading.torch_files import read_torch


@dataclass(frozen=True)
class ModuleModel(NetworkModel):
    """A network of your own: a factory by import path, and weights that are only tensors.

    The module is called as module(y, s) with y = x/alpha in [-1, 1], (n, *shape), and s of shape
    () or (n,). The factory is code of yours and is imported; the weights file is never run.

    Attributes:
        factory: `package.module:name` of a function without arguments, or of a class.
        weights: a state dict as .safetensors or .pth (`weights_only`); or `published:NAME` of a
            file that you fetched (`bench models fetch --url`).
        entry: the entry of a .pth that holds the state dict; empty: the file is one.
        predicts: what the module gives: the denoised sample, eps, or the score of y.
        shape: of one sample.
        s_min, s_max: the noise-to-signal ratios that it was trained for.
        data: name of the data set.
        held_out: a file of unseen images, for likelihoods.
    """

    name: ClassVar[str] = "module"
    reference: ClassVar[str] = "your own network; Karras et al. 2022, arXiv:2206.00364, Eq. 3"
    bibtex: ClassVar[str] = paper("karras2022elucidating")
    imports_code: ClassVar[bool] = True

    factory: str = "package.module:name"
    weights: FilePath = "weights.safetensors"
    entry: str = ""
    predicts: Literal["denoised", "eps", "score"] = "denoised"
    shape: tuple[int, ...] = (3, 32, 32)
    s_min: float = 0.002
    s_max: float = 80.0
    data: str = "unknown"
    held_out: FilePath | None = None

    def __post_init__(self) -> None:
        module, colon, name = self.factory.partition(":")
        dotted = all(part.isidentifier() for part in module.split("."))
        require(bool(colon) and dotted and name.isidentifier(), "factory must be module:name")
        require(bool(self.weights) and bool(self.data), "weights and data must not be empty")
        require(bool(self.shape) and min(self.shape) >= 1, "shape must be of positive numbers")
        require(0 < self.s_min < self.s_max < math.inf, "0 < s_min < s_max must hold")

    def assets(self) -> Sequence[Asset]:
        return asset_of(self.weights)

    def fingerprint(self) -> str:
        """All code of the factory: an edit of it is another model."""
        return code_identity(self.factory.partition(":")[0])

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        call = _as_denoiser(self.prepare(self.network(), device, dtype))
        kinds: dict[str, Denoiser] = {
            "denoised": call,
            "eps": from_eps(call),
            "score": from_score(call),
        }
        return ScoreModel(
            denoiser=kinds[self.predicts],
            shape=self.shape,
            s_min=self.s_min,
            s_max=self.s_max,
            weights=file_hash(self.name, self.weights),
            target=pixel_target(self.data, self.held_out),
        )

    def network(self) -> nn.Module:
        """The module that the factory makes, with its weights.

        Raises:
            BenchError: the factory fails, or the file is missing, damaged or of another network.
        """
        path = local_path(self.weights)
        return build_network(self._make(), self._state(path), path)

    def _make(self) -> Callable[[], nn.Module]:
        module = self._module()
        factory = getattr(module, self.factory.partition(":")[2], None)
        if not callable(factory):
            raise BenchError(f"model 'module': '{self.factory}' is no function or class")

        def make() -> nn.Module:
            try:
                network = factory()
            except Exception as error:  # a stranger's code raises whatever it likes
                raise BenchError(
                    f"model 'module': '{self.factory}' fails: {type(error).__name__} "
                    f"{' '.join(str(error).split())[:200]}"
                ) from error
            if not isinstance(network, nn.Module):
                raise BenchError(f"model 'module': '{self.factory}' gives no torch.nn.Module")
            return network

        return make

    def _module(self) -> object:
        name = self.factory.partition(":")[0]
        try:
            return import_named(name)
        except Exception as error:  # a stranger's code raises whatever it likes
            raise BenchError(
                f"model 'module': '{name}' cannot be imported ({error}); install it, or run "
                "where it lies with PYTHONPATH=."
            ) from error

    def _state(self, path: Path) -> dict[str, Tensor]:
        if path.suffix == ".safetensors":
            return read_safetensors(path)[0]
        state = read_torch(path)
        if self.entry:
            state = state.get(self.entry) if isinstance(state, dict) else None
        if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
            place = f" under '{self.entry}'" if self.entry else "; set the parameter entry"
            raise inert.forbidden_error(path, f"it holds no state dict{place}")
        return {str(name): tensor for name, tensor in state.items()}


def _as_denoiser(network: Running) -> Denoiser:
    """``network``, where s follows y into the dtype that it runs in."""

    def call(y: Tensor, s: Tensor) -> Tensor:
        answer: Tensor = network(y, s.to(network.inner) if s.dtype == y.dtype else s)
        return answer

    return call
