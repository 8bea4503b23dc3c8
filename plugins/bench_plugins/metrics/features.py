"""Features of the shipped classifiers, and the moments that samples are compared with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    BenchError,
    DiscreteData,
    SampleMetric,
    Trial,
    UnsupportedError,
    WeightsFile,
    read_weights,
)

_CHUNK = 64  # fixed, so that features do not depend on the batch size of the run


class FeatureMetric(SampleMetric):
    """A distance in the features of the classifier that ships for one data set.

    Attributes:
        data: the data set, whose classifier and moments have its name.
    """

    unit: ClassVar[str] = "1"
    data: ClassVar[str]
    imports: ClassVar[tuple[str, ...]] = ("bench_plugins.metrics.extractors",)

    def discrete(self, trial: Trial) -> DiscreteData:
        """The levels of the data.

        Raises:
            UnsupportedError: the model samples something else.
        """
        target = trial.model.target
        if target.data != self.data or target.discrete is None:
            raise UnsupportedError(
                f"{self.name} compares with the data set '{self.data}'; the model samples "
                f"'{target.data}'"
            )
        return target.discrete

    def features(self, discrete: DiscreteData, x: Tensor) -> Tensor:
        """Features of samples ``x`` rounded to the data's levels, (n, d), on the CPU."""
        from bench_plugins.metrics.extractors import extractor  # imports torchvision: two seconds

        network = extractor(f"scorebench-{self.data}", x.is_cuda)
        parts = discrete.quantise(x).split(_CHUNK)
        return torch.cat([network(images)[0].cpu() for images in parts])

    def moments(self, kind: str) -> WeightsFile:
        """The moments of the data's features in the file ``<data>_<kind>.safetensors``.

        Raises:
            BenchError: it is missing or damaged, or belongs to another extractor.
        """
        from bench_plugins.metrics.extractors import extractor

        known = _file(f"{self.data}_{kind}.safetensors")
        used = extractor(f"scorebench-{self.data}", False).sha256
        made_with = str(known.record.get("extractor_sha256"))
        if made_with != used:
            raise BenchError(
                f"{self.name}: the reference statistics belong to extractor {made_with[:16]}, "
                f"not {used[:16]}; reinstall the package"
            )
        return known


@lru_cache(maxsize=8)
def _file(name: str) -> WeightsFile:
    return read_weights(Path(__file__).parent / "data" / name)
