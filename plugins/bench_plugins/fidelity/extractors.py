"""Feature extractors of torch-fidelity, with verified weights and a fixed batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from bench.api import BenchError, first_line
from bench_plugins.fidelity.kinds import Kind
from bench_plugins.fidelity.weights import WeightsFile, read_state

CHUNK = 64
"""Images that go through an extractor together: fixed, because other shapes give other bits."""


@dataclass(frozen=True, eq=False)
class Features:
    """Output of an extractor for n images.

    Attributes:
        pooled: the features (n, d), float32, on the extractor's device.
        logits: the layer (n, classes) from which torch-fidelity takes the Inception score.
    """

    pooled: Tensor
    logits: Tensor

    @cached_property
    def host(self) -> Features:
        """The same in main memory, copied once for all metrics."""
        return Features(self.pooled.cpu(), self.logits.cpu())


@dataclass(frozen=True, eq=False)
class Extractor:
    """An extractor that remembers what it saw last.

    All metrics of a cell see the same images: the first one evaluates them, the others get the
    same features.

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


def load_extractor(kind: Kind, file: WeightsFile, device: torch.device) -> Extractor:
    """The extractor with the weights of ``file`` on ``device``.

    Raises:
        BenchError: the weights cannot be read, belong to another network, or a package is missing.
    """
    return _load(kind, file, device)


# As many as one cell may well use: were one dropped while it is in use, its images would go
# through a second copy of it.
@lru_cache(maxsize=8)
def _load(kind: Kind, file: WeightsFile, device: torch.device) -> Extractor:
    # Here, because it imports torchvision: two seconds.
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    name = kind.published.extractor
    state = read_state(file)
    try:
        network = kind.build(name, state)
    except BenchError:
        raise
    except Exception as error:  # tensors of another network fail in every way there is
        raise BenchError(
            f"{file.path}: the weights do not fit '{name}' ({first_line(error)}); fetch "
            f"{kind.published.asset.url}"
        ) from None
    layer_of = FEATURE_EXTRACTORS_REGISTRY[name].get_default_feature_layer_for_metric
    return Extractor(network.to(device), layer_of("fid"), layer_of("isc"), device)


def chunks(images: Iterable[Tensor]) -> Iterator[Tensor]:
    """Single images (3, H, W) stacked by ``CHUNK``."""
    waiting: list[Tensor] = []
    for image in images:
        waiting.append(image)
        if len(waiting) == CHUNK:
            yield torch.stack(waiting)
            waiting.clear()
    if waiting:
        yield torch.stack(waiting)
