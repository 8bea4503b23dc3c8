"""The settings of a training, with defaults; without torch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bench_train.options.choices import TimesChoice, WeightingChoice


@dataclass(frozen=True)
class Sizes:
    """Sizes of NCSN++ and DDPM++, or of any network with such parameters; None: its default.

    width: channels of the first level. mults: channels of the levels in units of it; the second
    level has attention. blocks: residual blocks of a level. dropout: share of activations
    dropped in training.
    """

    width: int | None = None
    mults: tuple[int, ...] | None = None
    blocks: int | None = None
    dropout: float | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The sizes that are not None, by parameter of the network."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Settings:
    """A training but for its data.

    network: a name, or YAML `{name: ncsnpp, width: 64}`. sizes: parameters of the network beside
    those. process: a name, or YAML `{name: ve, sigma_min: 0.02}`. weighting, times: of the loss.
    summed: half the sum over a sample's entries in the place of their mean; it matters for
    clipping alone. images, batch, learning_rate, beta2 (Adam's), clip (0: none), warmup (images),
    decay (last fraction of the run). ema, ema_halflives, ema_rates: the averages, all that are
    named. flips: mirror half of the images. dequantise: add uniform noise to the integers. rows:
    samples in one pass, 0 for all that a process has. classes: condition on the labels of the data.
    label_dropout: share of the samples shown without their label, None for the usual 0.1.
    """

    network: str = "auto"
    sizes: Sizes = Sizes()
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
    classes: bool = False
    label_dropout: float | None = None

    @property
    def summary(self) -> str:
        """One line for lists."""
        levels = ",".join(map(str, self.sizes.mults or ()))
        return (
            f"{self.network} {self.sizes.width} x {levels} x {self.sizes.blocks}, {self.process}, "
            f"{self.weighting.value} over {self.times.value}, {self.images:,} images"
        )
