"""Presets of `bench train`: the settings of the field, and small ones of our own."""

from __future__ import annotations

import difflib
from dataclasses import replace

from bench.extend import BenchError
from bench_train.options.choices import TimesChoice, WeightingChoice
from bench_train.settings import Settings, Sizes

_PUBLISHED = Sizes(width=128, mults=(1, 2, 2, 2), blocks=4, dropout=0.1)
# score_sde (arXiv:2011.13456, appendix H, and the configurations in its repository): 1.3 million
# steps of 128 images of CIFAR-10 (the deep networks 0.95 million), 5,000 of them warm-up.
_SCORE_SDE = Settings(
    network="ddpmpp",
    sizes=_PUBLISHED,
    process="vp",
    weighting=WeightingChoice.SIGMA2,
    times=TimesChoice.UNIFORM,
    images=1_300_001 * 128,
    batch=128,
    learning_rate=2e-4,
    beta2=0.999,
    clip=1.0,
    warmup=5_000 * 128,
    decay=0.0,
    ema=(),
    ema_rates=(0.9999,),
    flips=True,
    dequantise=False,
    rows=32,
)
_VE = replace(
    _SCORE_SDE,
    network="ncsnpp",
    process="{name: ve, sigma_min: 0.02, sigma_max: 100.0}",
    summed=True,
    ema_rates=(0.999,),
)
_SUBVP = replace(_SCORE_SDE, process="subvp")
_NCSNPP_VP = replace(_SCORE_SDE, network="ncsnpp")
# Song, Durkan, Murray & Ermon 2021 (arXiv:2101.09258): likelihood weighting, importance sampling
# of time, uniform dequantisation; network and optimiser as above.
_LIKELIHOOD = replace(
    _SCORE_SDE,
    weighting=WeightingChoice.LIKELIHOOD,
    times=TimesChoice.IMPORTANCE,
    dequantise=True,
)
# EDM (arXiv:2206.00364, table 7, configuration F for CIFAR-10), without its augmentation.
_EDM = Settings(
    network="edm-ddpmpp",
    sizes=replace(_PUBLISHED, mults=(2, 2, 2), dropout=0.13),
    times=TimesChoice.LOGNORMAL,
    images=200_000_000,
    batch=512,
    learning_rate=1e-3,
    beta2=0.999,
    clip=0.0,
    warmup=10_000_000,
    decay=0.0,
    ema=(),
    ema_halflives=(500_000,),
    dequantise=False,
    rows=64,
)


def _deep(settings: Settings) -> Settings:
    return replace(settings, sizes=replace(settings.sizes, blocks=8), images=950_001 * 128)


# For one CPU core or any GPU and 28x28 pixels, ours.
_SMALL_SIZES = Sizes(width=16, mults=(1, 2, 2), blocks=1)


def _small(settings: Settings) -> Settings:
    return replace(
        settings,
        sizes=_SMALL_SIZES,
        images=100_000,
        batch=64,
        learning_rate=2e-3,
        beta2=0.99,
        warmup=5_000,
        decay=0.4,
        ema=(0.05,),
        ema_halflives=(),
        ema_rates=(),
        flips=False,
        dequantise=True,
        rows=0,
    )


PRESETS: dict[str, Settings] = {
    "ncsnpp-ve": _VE,
    "ncsnpp-ve-deep": _deep(_VE),
    "ncsnpp-vp": _NCSNPP_VP,
    "ncsnpp-subvp": replace(_NCSNPP_VP, process="subvp"),
    "ddpmpp-vp": _SCORE_SDE,
    "ddpmpp-vp-deep": _deep(_SCORE_SDE),
    "ddpmpp-subvp": _SUBVP,
    "ddpmpp-subvp-deep": _deep(_SUBVP),
    "ddpmpp-vp-likelihood": _LIKELIHOOD,
    "ddpmpp-subvp-likelihood": replace(_LIKELIHOOD, process="subvp"),
    "edm-ddpmpp": _EDM,
    "edm-ncsnpp": replace(_EDM, network="edm-ncsnpp"),
    "ncsnpp-ve-small": _small(_VE),
    "ddpmpp-vp-small": _small(_SCORE_SDE),
    "ddpmpp-subvp-small": _small(_SUBVP),
    "ddpmpp-subvp-likelihood-small": _small(replace(_LIKELIHOOD, process="subvp")),
    "edm-ddpmpp-small": _small(_EDM),
}


def preset_of(name: str) -> Settings:
    """Return the settings of a preset; "" for the defaults.

    Raises:
        BenchError: there is no such preset; lists those that are.
    """
    if not name:
        return Settings()
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ";"
        raise BenchError(f"--preset: unknown preset '{name}'{hint} known: {', '.join(PRESETS)}")
    return PRESETS[name]
