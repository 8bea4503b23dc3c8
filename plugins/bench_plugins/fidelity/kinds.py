"""The extractors of torch-fidelity: whose weights they take, and how they are built from them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench_plugins.fidelity.catalogue import ASSETS
from bench_plugins.fidelity.clip import build_clip
from bench_plugins.fidelity.dinov2 import TIMM, build_dinov2, check_timm
from bench_plugins.fidelity.weights import INCEPTION_V3, PublishedWeights

INCEPTION = INCEPTION_V3.extractor


@dataclass(frozen=True)
class Kind:
    """An extractor.

    Attributes:
        published: its weights.
        build: makes torch-fidelity's module of its name and its state dict.
        check: raises BenchError where a package is missing.
    """

    published: PublishedWeights
    build: Callable[[str, Mapping[str, Tensor]], Any]
    check: Callable[[], None] = lambda: None


def build_plain(name: str, state: Mapping[str, Tensor]) -> Any:
    """An extractor that torch-fidelity itself loads from a state dict.

    Raises:
        RuntimeError: the tensors belong to another network.
    """
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
    from torch_fidelity.utils import create_feature_extractor

    layer_of = FEATURE_EXTRACTORS_REGISTRY[name].get_default_feature_layer_for_metric
    # torch-fidelity unpickles its file without any check, so it is handed one written here from
    # tensors that were read safely.
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    buffer.seek(0)
    return create_feature_extractor(
        name,
        list(dict.fromkeys([layer_of("fid"), layer_of("isc")])),
        cuda=False,
        verbose=False,
        feature_extractor_weights_path=buffer,
    )


def _weights(name: str) -> PublishedWeights:
    """Those of the extractor ``name``, in the catalogue as ``name``-weights."""
    (asset,) = (asset for asset in ASSETS if asset.name == f"{name}-weights")
    return PublishedWeights(name, asset)


_CLIP = (
    "clip-rn50",
    "clip-rn101",
    "clip-rn50x4",
    "clip-rn50x16",
    "clip-rn50x64",
    "clip-vit-b-32",
    "clip-vit-b-16",
    "clip-vit-l-14",
    "clip-vit-l-14-336px",
)

_KINDS = (
    Kind(INCEPTION_V3, build_plain),
    Kind(_weights("vgg16"), build_plain),
    *(Kind(_weights(name), build_clip) for name in _CLIP),
    *(Kind(_weights(name), build_dinov2, check_timm) for name in TIMM),
)

EXTRACTORS: Mapping[str, Kind] = {kind.published.extractor: kind for kind in _KINDS}
"""By the names of torch-fidelity's registry."""


def suffix(extractor: str) -> str:
    """Suffix of the names of numbers in the features of ``extractor``.

    Empty for Inception-v3, whose distances papers give no further name.
    """
    return "" if extractor == INCEPTION else "_" + extractor.replace("-", "_")
