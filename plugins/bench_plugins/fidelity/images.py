"""From samples to the images that torch-fidelity's extractors take: uint8, (n, 3, H, W)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.api import Batch, DiscreteData, Trial, UnsupportedError
from bench_plugins.fidelity.extractors import CHUNK, Extractor, Features


def bytes_of(trial: Trial, metric: str) -> DiscreteData:
    """The conversion of ``trial``'s samples to bytes.

    Raises:
        UnsupportedError: they are no images of bytes.
    """
    target, shape = trial.model.target, trial.model.shape
    if target.discrete is None or target.discrete.levels != 256:
        raise UnsupportedError(
            f"{metric} needs images of bytes; the model samples '{target.data}', which has "
            f"{target.discrete.levels if target.discrete else 'no'} integer levels"
        )
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UnsupportedError(
            f"{metric} needs images of bytes, of shape (1 or 3, H, W); the model samples {shape}"
        )
    return target.discrete


def rgb(images: Tensor) -> Tensor:
    """Images (n, C, H, W) with three channels; a single one is repeated."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


@dataclass
class FeatureStream:
    """The features of samples that come in batches of any size.

    Samples wait until a whole chunk of the extractor is full, so that sample i always is row
    i mod ``CHUNK`` of its chunk, whatever the batches of the run are.
    """

    extractor: Extractor
    discrete: DiscreteData
    _waiting: Tensor | None = field(default=None)

    def add(self, batch: Batch) -> Features | None:
        """Features of the chunks that ``batch`` fills, if any."""
        images = rgb(self.discrete.quantise(batch.x))
        if self._waiting is not None:
            images = torch.cat([self._waiting, images])
        whole = len(images) - len(images) % CHUNK
        self._waiting = images[whole:].clone() if whole < len(images) else None
        return self.extractor(images[:whole]) if whole else None

    def rest(self) -> Features | None:
        """Features of the samples that still wait, after the last batch."""
        images, self._waiting = self._waiting, None
        return None if images is None else self.extractor(images)
