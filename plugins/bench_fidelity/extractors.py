"""Feature extractors of torch-fidelity, with verified weights and a fixed batch."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from bench.api import BenchError
from bench_fidelity.weights import PublishedWeights, WeightsFile, read_state

CHUNK = 64
"""Images that go through an extractor together: fixed, because other shapes give other bits."""


@dataclass(frozen=True, eq=False)
class Features:
    """What an extractor says of n images.

    Attributes:
        pooled: the features (n, d), float32, on the extractor's device.
        logits: the layer (n, classes) from which torch-fidelity takes the Inception score.
    """

    pooled: Tensor
    logits: Tensor

    @cached_property
    def host(self) -> Features:
        """The same in the main memory, copied once for all who ask."""
        return Features(self.pooled.cpu(), self.logits.cpu())


@dataclass(frozen=True, eq=False)
class Extractor:
    """An extractor that remembers what it saw last.

    All metrics of a cell see the same images: the first one to ask has them evaluated, the others
    are handed the same features.

    Attributes:
        network: torch-fidelity's module.
        pooled, logits: names of its layers.
        device: where it is.
    """

    network: Any
    pooled: str
    logits: str
    device: torch.device
    _last: list[tuple[Tensor, Features]] = field(default_factory=list)

    @cached_property
    def dimension(self) -> int:
        """Number of features d."""
        return self._evaluate(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).pooled.shape[1]

    def __call__(self, images: Tensor) -> Features:
        """Features of ``images`` (n, 3, H, W), uint8, in chunks of ``CHUNK``."""
        for seen, features in self._last:
            if seen.shape == images.shape and torch.equal(seen, images):
                return features
        parts = [self._evaluate(chunk) for chunk in images.split(CHUNK)]
        features = Features(
            torch.cat([part.pooled for part in parts]), torch.cat([part.logits for part in parts])
        )
        self._last[:] = [(images, features)]
        return features

    @torch.no_grad()
    def _evaluate(self, images: Tensor) -> Features:
        # Features in TF32 are off by 1e-3, and other figures than those of a GPU without it.
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            outputs = self.network(images.to(self.device))
        named = self.network.convert_features_tuple_to_dict(outputs)
        return Features(named[self.pooled], named[self.logits])


def load_extractor(
    published: PublishedWeights, file: WeightsFile, device: torch.device
) -> Extractor:
    """The extractor with the weights of ``file`` on ``device``.

    Raises:
        BenchError: the weights cannot be read, or belong to another network.
    """
    return _load(published, file, device)


@lru_cache(maxsize=2)
def _load(published: PublishedWeights, file: WeightsFile, device: torch.device) -> Extractor:
    # Here, because it imports torchvision: two seconds.
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
    from torch_fidelity.utils import create_feature_extractor

    name = published.extractor
    layer_of = FEATURE_EXTRACTORS_REGISTRY[name].get_default_feature_layer_for_metric
    pooled, logits = layer_of("fid"), layer_of("isc")
    # torch-fidelity unpickles its file without any check, so it is handed one written here from
    # tensors that were read safely.
    buffer = io.BytesIO()
    torch.save(read_state(file), buffer)
    buffer.seek(0)
    try:
        network = create_feature_extractor(
            name,
            list(dict.fromkeys([pooled, logits])),
            cuda=False,
            verbose=False,
            feature_extractor_weights_path=buffer,
        )
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise BenchError(
            f"{file.path}: the weights do not fit '{name}' ({reason}); fetch {published.asset.url}"
        ) from None
    return Extractor(network.to(device), pooled, logits, device)


def chunked(images: Iterable[Tensor]) -> Iterator[Tensor]:
    """Single images (3, H, W) stacked by ``CHUNK``."""
    waiting: list[Tensor] = []
    for image in images:
        waiting.append(image)
        if len(waiting) == CHUNK:
            yield torch.stack(waiting)
            waiting.clear()
    if waiting:
        yield torch.stack(waiting)
