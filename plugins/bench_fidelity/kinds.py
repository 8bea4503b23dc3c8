"""The extractors of torch-fidelity: whose weights they take, and how they are built from them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench_fidelity.clip import build_clip
from bench_fidelity.dinov2 import build_dinov2
from bench_fidelity.weights import INCEPTION_V3, PublishedWeights

INCEPTION = INCEPTION_V3.extractor


@dataclass(frozen=True)
class Kind:
    """An extractor.

    Attributes:
        published: its weights.
        build: makes torch-fidelity's module of its name and its state dict.
    """

    published: PublishedWeights
    build: Callable[[str, Mapping[str, Tensor]], Any]


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


def _clip(name: str, file: str, sha256: str) -> Kind:
    """An image encoder of OpenAI's (MIT): the sha256 is part of its address."""
    url = f"https://openaipublic.azureedge.net/clip/models/{sha256}/{file}"
    return Kind(PublishedWeights(name, file, url, sha256), build_clip)


def _dinov2(size: str, sha256: str) -> Kind:
    """An encoder of Meta's (Apache-2.0), who publish no hashes: many have noted the same ones."""
    folder = f"dinov2_vit{size}14"
    url = f"https://dl.fbaipublicfiles.com/dinov2/{folder}/{folder}_pretrain.pth"
    name, file = f"dinov2-vit-{size}-14", f"{folder}_pretrain.pth"
    return Kind(PublishedWeights(name, file, url, sha256), build_dinov2)


VGG16 = PublishedWeights(
    "vgg16",
    "vgg16-397923af.pth",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
)
"""torchvision's VGG16_Weights.IMAGENET1K_V1."""

_KINDS = (
    Kind(INCEPTION_V3, build_plain),
    Kind(VGG16, build_plain),
    _clip(
        "clip-rn50",
        "RN50.pt",
        "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
    ),
    _clip(
        "clip-rn101",
        "RN101.pt",
        "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
    ),
    _clip(
        "clip-rn50x4",
        "RN50x4.pt",
        "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
    ),
    _clip(
        "clip-rn50x16",
        "RN50x16.pt",
        "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
    ),
    _clip(
        "clip-rn50x64",
        "RN50x64.pt",
        "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
    ),
    _clip(
        "clip-vit-b-32",
        "ViT-B-32.pt",
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    ),
    _clip(
        "clip-vit-b-16",
        "ViT-B-16.pt",
        "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
    ),
    _clip(
        "clip-vit-l-14",
        "ViT-L-14.pt",
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
    ),
    _clip(
        "clip-vit-l-14-336px",
        "ViT-L-14-336px.pt",
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
    ),
    _dinov2("s", "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"),
    _dinov2("b", "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73"),
    _dinov2("l", "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428"),
    _dinov2("g", "baf8467e50af277596bbbafa06887c177ee899ab46033649c383577d7e9309d3"),
)

EXTRACTORS: Mapping[str, Kind] = {kind.published.extractor: kind for kind in _KINDS}
"""By the names of torch-fidelity's registry."""


def suffix(extractor: str) -> str:
    """What the names of numbers in the features of ``extractor`` end with.

    Nothing for Inception-v3, whose distances are the ones that papers give no further name.
    """
    return "" if extractor == INCEPTION else "_" + extractor.replace("-", "_")
