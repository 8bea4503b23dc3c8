"""The choices of `bench train`, without torch, so that `--help` is fast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class NetworkChoice(StrEnum):
    """Architectures."""

    AUTO = "auto"
    UNET = "unet"
    MLP = "mlp"
    NCSNPP = "ncsnpp"
    DDPMPP = "ddpmpp"
    EDM_NCSNPP = "edm-ncsnpp"
    EDM_DDPMPP = "edm-ddpmpp"


class WeightingChoice(StrEnum):
    """lambda(t): how much each time counts."""

    EDM = "edm"
    SIGMA2 = "sigma2"
    LIKELIHOOD = "likelihood"
    NONE = "none"


class TimesChoice(StrEnum):
    """The density of times."""

    MIXED = "mixed"
    LOGNORMAL = "lognormal"
    LOGUNIFORM = "loguniform"
    UNIFORM = "uniform"
    IMPORTANCE = "importance"


class PrecisionChoice(StrEnum):
    """Arithmetic of the network during training."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT64 = "float64"


class ReferencePart(StrEnum):
    """Which samples the reference statistics are taken over."""

    TRAIN = "train"
    ALL = "all"


@dataclass(frozen=True)
class DataOptions:
    """`digits`, `mnist` or an .npz file; its levels; where downloads are kept."""

    data: str
    levels: int
    data_dir: Path


@dataclass(frozen=True)
class Machine:
    """How a training is computed: it changes the last bits only."""

    precision: PrecisionChoice = PrecisionChoice.FLOAT32
    compiled: bool = False
    workers: int = 0
    device: str = "cpu"
