"""What a training can be told, with defaults, and the presets; without torch."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from bench.core.errors import BenchError
from bench_train.options import NetworkChoice, TimesChoice, WeightingChoice


@dataclass(frozen=True)
class Sizes:
    """Sizes of NCSN++ and DDPM++.

    width: channels of the first level. mults: channels of the levels in units of it; the second
    level has attention. blocks: residual blocks of a level. dropout: share of activations
    dropped in training.
    """

    width: int = 128
    mults: tuple[int, ...] = (1, 2, 2, 2)
    blocks: int = 4
    dropout: float = 0.0


@dataclass(frozen=True)
class Settings:
    """A training but for its data, length of run apart.

    network, sizes: what is trained (sizes: of NCSN++ and DDPM++ alone). process: a name, or YAML
    `{name: ve, sigma_min: 0.02}`. weighting, times: of the loss. summed: half the sum over a
    sample's entries in the place of their mean; it matters for clipping alone. images, batch,
    learning_rate, beta2 (Adam's), clip (0: none), warmup (images), decay (last fraction of the
    run). ema, ema_halflives, ema_rates: the averages, all that are named. flips: mirror half of
    the images. dequantise: add uniform noise to the integers. rows: samples in one pass, 0 for
    all that a process has.
    """

    network: NetworkChoice = NetworkChoice.AUTO
    sizes: Sizes | None = None
    process: str = "edm"
    weighting: WeightingChoice = WeightingChoice.EDM
    times: TimesChoice = TimesChoice.MIXED
    summed: bool = False
    images: int = 2_000_000
    batch: int = 256
    learning_rate: float = 2e-3
    beta2: float = 0.99
    clip: float = 1.0
    warmup: int = 50_000
    decay: float = 0.4
    ema: tuple[float, ...] = (0.05,)
    ema_halflives: tuple[int, ...] = ()
    ema_rates: tuple[float, ...] = ()
    flips: bool = False
    dequantise: bool = True
    rows: int = 0

    @property
    def described(self) -> str:
        """One line for lists."""
        size = self.sizes or Sizes()
        levels = ",".join(map(str, size.mults))
        return (
            f"{self.network.value} {size.width} x {levels} x {size.blocks}, {self.process}, "
            f"{self.weighting.value} over {self.times.value}, {self.images:,} images"
        )


# score_sde (arXiv:2011.13456, appendix H, and the configurations in its repository): 1.3 million
# steps of 128 images of CIFAR-10 (the deep networks 0.95 million), 5,000 of them warm-up.
_SCORE_SDE = Settings(
    network=NetworkChoice.DDPMPP,
    sizes=Sizes(dropout=0.1),
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
    network=NetworkChoice.NCSNPP,
    process="{name: ve, sigma_min: 0.02, sigma_max: 100.0}",
    summed=True,
    ema_rates=(0.999,),
)
_SUBVP = replace(_SCORE_SDE, process="subvp")
_NCSNPP_VP = replace(_SCORE_SDE, network=NetworkChoice.NCSNPP)
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
    network=NetworkChoice.EDM_DDPMPP,
    sizes=Sizes(mults=(2, 2, 2), dropout=0.13),
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
    return replace(settings, sizes=Sizes(blocks=8, dropout=0.1), images=950_001 * 128)


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
    "edm-ncsnpp": replace(_EDM, network=NetworkChoice.EDM_NCSNPP),
    "ncsnpp-ve-small": _small(_VE),
    "ddpmpp-vp-small": _small(_SCORE_SDE),
    "ddpmpp-subvp-small": _small(_SUBVP),
    "ddpmpp-subvp-likelihood-small": _small(replace(_LIKELIHOOD, process="subvp")),
    "edm-ddpmpp-small": replace(_small(_EDM), sizes=replace(_SMALL_SIZES, mults=(1, 2, 2))),
}


def preset_of(name: str) -> Settings:
    """The settings of a preset; "" for the defaults.

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


@dataclass(frozen=True)
class Overrides:
    """The options of the command line; None where the preset's value, or the default, holds."""

    network: NetworkChoice | None = None
    width: int | None = None
    mults: tuple[int, ...] | None = None
    blocks: int | None = None
    dropout: float | None = None
    process: str | None = None
    weighting: WeightingChoice | None = None
    times: TimesChoice | None = None
    summed: bool | None = None
    images: int | None = None
    batch: int | None = None
    rows: int | None = None
    learning_rate: float | None = None
    beta2: float | None = None
    clip: float | None = None
    warmup: int | None = None
    decay: float | None = None
    ema: Sequence[float] | None = None
    ema_halflife: Sequence[int] | None = None
    ema_rate: Sequence[float] | None = None
    flips: bool | None = None
    dequantise: bool | None = None


def overridden(settings: Settings, given: Overrides) -> Settings:
    """`settings` with what was given on the command line."""
    told = {name: value for name, value in vars(given).items() if value is not None}
    sizes = {name: told.pop(name) for name in _names(Sizes) & told.keys()}
    averages = {name: tuple(told.pop(name, None) or ()) for name in _AVERAGES}
    if sizes:
        told["sizes"] = replace(settings.sizes or Sizes(), **sizes)
    elif given.network in (NetworkChoice.AUTO, NetworkChoice.UNET, NetworkChoice.MLP):
        told["sizes"] = None
    if any(averages.values()):
        told.update({_AVERAGES[name]: values for name, values in averages.items()})
    return replace(settings, **told)


# Options, and the settings that they make.
_AVERAGES = {"ema": "ema", "ema_halflife": "ema_halflives", "ema_rate": "ema_rates"}


def _names(cls: type[Sizes]) -> set[str]:
    return {field.name for field in fields(cls)}
