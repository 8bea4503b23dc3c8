"""Checks of networks and classifiers that can be trained."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.core.trainable import Trainable, TrainableClassifier, TrainingRecord, TrainingTask
from bench.testing.conformance.finding import NotApplicable, demand
from bench.testing.plugins import process_of

_SHAPES = ((1, 8, 8), (3, 32, 32))
_RECORD = TrainingRecord((0.002, 80.0), "toy", 256, "0" * 64, 1)


def begins_with_the_seed(plugin: Trainable) -> None:
    """Initial weights follow from the seed of torch's global generator."""
    _, network = _build(plugin)
    _, again = _build(plugin)
    pairs = zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    demand(
        all(torch.equal(one, other) for one, other in pairs),
        "the same initial weights after the same torch.manual_seed",
        "others",
        "initialise from torch's global generator, and from nothing else",
    )


def denoises(plugin: Trainable) -> None:
    """D has the shape of y, for s of shape () or (n,), and a gradient."""
    shape, network = _build(plugin)
    y = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    for s in (torch.tensor(0.5), torch.tensor([0.1, 2.0])):
        d: Tensor = network(y, s)
        demand(
            d.shape == y.shape and d.dtype == y.dtype and bool(torch.isfinite(d).all()),
            "network(y, s) has the shape and dtype of y and is finite",
            f"shape {tuple(d.shape)}, {d.dtype} for s of shape {tuple(s.shape)}",
            "return the denoiser D(y; s), preconditioning included; use bench.api.rows_of for s",
        )
    d.square().mean().backward()
    demand(
        any(p.grad is not None and bool(p.grad.any()) for p in network.parameters()),
        "some parameter has a gradient",
        "none",
        "return a module whose weights are parameters",
    )


def saves(plugin: Trainable) -> None:
    """The weights are written as a safetensors file."""
    _, network = _build(plugin)
    _demand_file(lambda path: plugin.save(path, network, _RECORD))


def classifies(plugin: TrainableClassifier) -> None:
    """Images have logits and features, and the weights are written as a safetensors file."""
    images = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8)
    with torch.random.fork_rng():
        network = plugin.build((1, 8, 8), 256).eval()
    logits: Tensor = network(images)
    features = getattr(network, "features", lambda _: torch.zeros(0))(images)
    demand(
        logits.ndim == features.ndim == 2 and len(logits) == len(features) == 2,
        "logits (n, classes), and `features` (n, d)",
        f"shapes {tuple(logits.shape)} and {tuple(features.shape)}",
        "return a module with a method `features` (bench.api.FeatureNetwork)",
    )
    _demand_file(lambda path: plugin.save(path, network, _RECORD))


def _build(plugin: Trainable) -> tuple[tuple[int, ...], nn.Module]:
    """A shape that suits the plugin, and its network, in evaluation mode."""
    reason = ""
    for name in ("vp", "edm"):
        for shape in _SHAPES:
            task = TrainingTask("toy", shape, 256, 0.0, 0.5, process_of(name))
            try:
                with torch.random.fork_rng():
                    torch.manual_seed(0)
                    return shape, plugin.build(task).eval()
            except BenchError as error:
                reason = str(error)
    raise NotApplicable(f"it takes none of the kit's tasks: {reason}")


def _demand_file(save: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save(path)
        try:
            with safe_open(path, framework="pt") as file:
                seen = "" if file.keys() else "no tensors"
        except (SafetensorError, OSError) as error:
            seen = str(error)
        demand(
            not seen,
            "a safetensors file that holds the weights",
            seen,
            "write it with bench.api.write_network or write_weights",
        )
