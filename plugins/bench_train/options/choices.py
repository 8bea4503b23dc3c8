"""Named choices of the options."""

from __future__ import annotations

from enum import StrEnum


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
