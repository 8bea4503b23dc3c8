"""The configurations of k-diffusion's checkpoints, under its names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from bench.api import BenchError
from bench_plugins.checkpoints.author_keys import K_DATASET_KEYS, K_DIFFUSION_KEYS
from bench_plugins.checkpoints.common import record_of
from bench_plugins.checkpoints.k_diffusion_records import (
    ImageTransformerV2Record,
    ImageV1Record,
    Outer,
)
from bench_plugins.checkpoints.networks.image_transformer_v2 import (
    ImageTransformerV2,
    ImageTransformerV2Config,
)
from bench_plugins.checkpoints.networks.image_v1 import ImageV1, ImageV1Config


@dataclass(frozen=True)
class KDiffusionRecipe:
    """Network and noise levels of a checkpoint of k-diffusion.

    Attributes:
        network: its sizes and parts.
        shape: of an image. data: name of the data set.
        sigma_data: standard deviation of the data, as the preconditioning has it.
        sigma_min, sigma_max: the noise levels that it is sampled with.
        classes: how many classes it knows, 0 for none.
    """

    network: ImageV1Config | ImageTransformerV2Config
    shape: tuple[int, int, int]
    data: str
    sigma_data: float
    sigma_min: float
    sigma_max: float
    classes: int


def maker(recipe: KDiffusionRecipe) -> Callable[[], nn.Module]:
    """Constructor of a recipe's network, with random weights."""
    config = recipe.network
    if isinstance(config, ImageV1Config):
        return partial(ImageV1, config)
    return partial(ImageTransformerV2, config)


def recipe_of(content: str | bytes, place: str) -> KDiffusionRecipe:
    """The recipe that a configuration (JSON) describes.

    Raises:
        BenchError: it is no such configuration, of another model type, or makes no sense.
    """
    outer = record_of(Outer, content, place)
    K_DIFFUSION_KEYS.check(json.loads(content), place)
    K_DATASET_KEYS.check(outer.dataset, f"{place}: dataset")
    kind, text = outer.model.get("type"), json.dumps(outer.model)
    classes = outer.dataset.get("num_classes", 0)
    if type(classes) is not int or not 0 <= classes <= 2**16:
        raise BenchError(f"{place}: dataset.num_classes must be a whole number")
    network: ImageV1Config | ImageTransformerV2Config
    record: ImageV1Record | ImageTransformerV2Record
    where = f"{place}: model"
    try:
        if kind == "image_v1":
            record = record_of(ImageV1Record, text, where)
            network, classes = record.network(), 0
        elif kind == "image_transformer_v2":
            record = record_of(ImageTransformerV2Record, text, where)
            network = record.network(classes)
        else:
            raise BenchError(
                f"{place}: model type '{kind}' is not known here; image_v1 and "
                "image_transformer_v2 are"
            )
    except ValueError as error:
        raise BenchError(f"{where}: {error}; see docs/checkpoints.md") from None
    named = outer.dataset.get("type")
    return KDiffusionRecipe(
        network=network,
        shape=(record.input_channels, *record.input_size),
        data=named if named in ("cifar10", "mnist") else "unknown",
        sigma_data=record.sigma_data,
        sigma_min=record.sigma_min,
        sigma_max=record.sigma_max,
        classes=classes,
    )
