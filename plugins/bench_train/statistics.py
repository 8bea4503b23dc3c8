"""Reference statistics of a Frechet distance, as safetensors files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from bench_train.classifier import FeatureStatistics
from bench_train.files import write_tensors


@dataclass(frozen=True)
class StatisticsRecord:
    """What reference statistics belong to.

    n: samples. data: name of the data set; part: which of its samples. data_sha256: digest of
    those samples' bytes. extractor_sha256: digest of the extractor's file of weights.
    """

    n: int
    data: str
    part: str
    data_sha256: str
    extractor_sha256: str
    licence: str


def save_statistics(path: Path, statistics: FeatureStatistics, record: StatisticsRecord) -> None:
    """Writes float64 tensors `mean` (d,), `covariance` (d, d) and `record` as JSON metadata."""
    tensors = {"mean": statistics.mean, "covariance": statistics.covariance}
    write_tensors(path, tensors, asdict(record))
