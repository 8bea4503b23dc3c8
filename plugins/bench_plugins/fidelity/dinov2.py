"""DINOv2's encoders: timm's networks in torch-fidelity's extractor."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bench.api import BenchError

_SIDE = 16
"""Patches of 14 x 14 pixels along the 224 that torch-fidelity resizes images to."""

TIMM = {
    "dinov2-vit-s-14": "vit_small_patch14_dinov2",
    "dinov2-vit-b-14": "vit_base_patch14_dinov2",
    "dinov2-vit-l-14": "vit_large_patch14_dinov2",
    "dinov2-vit-g-14": "vit_giant_patch14_dinov2",
}
"""timm's names of the networks."""


def build_dinov2(name: str, state: Mapping[str, Tensor]) -> Any:
    """torch-fidelity's extractor ``name`` around timm's network with the tensors of ``state``.

    torch-fidelity has `torch.hub` download the network's source from GitHub and run it, whatever
    it says that day. timm has the same network in a package of fixed versions.

    Raises:
        KeyError, RuntimeError: the tensors belong to another network.
    """
    import timm
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

    size = FeatureExtractorDinoV2.INPUT_IMAGE_SIZE
    with torch.device("meta"):  # no weights that are thrown away at once
        network: Any = timm.create_model(TIMM[name], pretrained=False, num_classes=0, img_size=size)
    network.load_state_dict(timm_state(state), assign=True)
    extractor = FeatureExtractorDinoV2.__new__(FeatureExtractorDinoV2)
    FeatureExtractorBase.__init__(extractor, name, ["dinov2"])
    extractor.feature_extractor_internal_dtype = torch.float32
    extractor.model = network.float()
    return extractor.requires_grad_(False).eval()


def check_timm() -> None:
    """Check that the networks can be built, without importing timm, which takes a second.

    Raises:
        BenchError: timm is not installed.
    """
    try:
        found = find_spec("timm")
    except ValueError:  # a module without a spec, as None in sys.modules
        found = None
    if found is None:
        raise BenchError(
            "DINOv2's features need the package timm; run `pip install scorebench[dinov2]`"
        )


def timm_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict under timm's names, its positions interpolated to 16 x 16 patches.

    Raises:
        KeyError: it has no positions.
    """
    gates = {".mlp.w12.": ".mlp.fc1.", ".mlp.w3.": ".mlp.fc2."}  # of the giant
    found = {}
    for key, tensor in state.items():
        for theirs, timms in gates.items():
            key = key.replace(theirs, timms)
        found[key] = tensor
    found.pop("mask_token", None)  # for training
    found["pos_embed"] = _positions(found["pos_embed"])
    return found


def _positions(trained: Tensor) -> Tensor:
    """Positions (1, 1 + n^2, d) for the grid of `_SIDE` patches, as DINOv2 interpolates them.

    By bicubic interpolation with the scale (16 + 0.1) / n: the summand is the authors' (against
    rounding), and moves the points of the grid a little; timm's own interpolation has none.
    """
    first, patches = trained[:, :1], trained[:, 1:]
    n = round(patches.shape[1] ** 0.5)
    if n == _SIDE:
        return trained
    scale = (_SIDE + 0.1) / n
    grid = patches.reshape(1, n, n, -1).permute(0, 3, 1, 2).float()
    resized = interpolate(grid, scale_factor=(scale, scale), mode="bicubic", antialias=False)
    return torch.cat([first.float(), resized.permute(0, 2, 3, 1).flatten(1, 2)], 1)
