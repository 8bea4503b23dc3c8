"""CLIP's image encoders: torch-fidelity's networks, from weights that were read safely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def build_clip(name: str, state: Mapping[str, Tensor]) -> Any:
    """torch-fidelity's extractor ``name`` with the tensors of ``state``.

    Its constructor has `torch.jit.load` compile and run what is in the file, so it is passed by
    and its parts are put together here: its own network, and its preprocessing in ``forward``.

    Raises:
        KeyError, RuntimeError: the tensors belong to another network.
    """
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP, build_model

    extractor = FeatureExtractorCLIP.__new__(FeatureExtractorCLIP)
    FeatureExtractorBase.__init__(extractor, name, ["clip"])
    dtype = extractor.feature_extractor_internal_dtype = torch.float32
    # The half that reads text is left out, but for the width of the common space.
    kept = {k: v for k, v in state.items() if k.startswith("visual.") or k == "text_projection"}
    extractor.model = build_model(kept, dtype)
    extractor.resolution = extractor.model.visual.input_resolution
    return extractor
