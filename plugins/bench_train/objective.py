"""The loss of a training, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.api import BenchError, NoiseProcess
from bench_train.losses import ScoreMatching
from bench_train.options.choices import TimesChoice, WeightingChoice
from bench_train.settings import Settings
from bench_train.times import (
    Importance,
    LogNormal,
    LogUniform,
    Mixture,
    TimeSampling,
    UniformTime,
)
from bench_train.weightings import Edm, Likelihood, SigmaSquared, Unweighted, Weighting

# The lognormal is wider and higher than EDM's: at 28x28 and 8x8 the shape of a digit is decided
# at s of about one. The log-uniform half keeps the ends right, which NLL integrates over too.
_TIMES: Mapping[TimesChoice, TimeSampling] = {
    TimesChoice.MIXED: Mixture(LogUniform(), LogNormal(-0.5, 1.3)),
    TimesChoice.LOGNORMAL: LogNormal(),
    TimesChoice.LOGUNIFORM: LogUniform(),
    TimesChoice.UNIFORM: UniformTime(),
    TimesChoice.IMPORTANCE: Importance(),
}

_WEIGHTINGS: Mapping[WeightingChoice, Callable[[float], Weighting]] = {
    WeightingChoice.EDM: Edm,
    WeightingChoice.SIGMA2: lambda _: SigmaSquared(),
    WeightingChoice.LIKELIHOOD: lambda _: Likelihood(),
    WeightingChoice.NONE: lambda _: Unweighted(),
}


def make_objective(settings: Settings, process: NoiseProcess, sigma_data: float) -> ScoreMatching:
    """Return the loss that the settings describe.

    Args:
        sigma_data: standard deviation of the data, of EDM's weighting.

    Raises:
        BenchError: times and weighting do not go together.
    """
    weighting = settings.weighting
    if settings.times is TimesChoice.IMPORTANCE and weighting is not WeightingChoice.LIKELIHOOD:
        raise BenchError(
            f"--times importance is made for --weighting likelihood, not '{weighting.value}', "
            "whose variance it would raise; pass --weighting likelihood or other --times"
        )
    return ScoreMatching(
        process, _TIMES[settings.times], _WEIGHTINGS[weighting](sigma_data), settings.summed
    )
